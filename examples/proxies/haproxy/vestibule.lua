-- Asks `vestibule` about a request before it goes on:
--
--     http-request lua.vestibule http://127.0.0.1:4180/oauth2/auth
--
-- 200 lets the request through, with the identity headers of the answer. Any other answer goes to the client as it is:
-- a redirect to the sign-in page, a 401, a 403. Without an answer nothing goes through.

-- The answer always has all of them, empty if need be.
local IDENTITY = {
    "x-auth-request-user",
    "x-auth-request-email",
    "x-auth-request-preferred-username",
    "x-auth-request-groups",
}

-- What belongs to the client's connection or to a body that is not sent along.
local NOT_ASKED = {
    ["connection"] = true,
    ["content-length"] = true,
    ["expect"] = true,
    ["host"] = true,
    ["keep-alive"] = true,
    ["proxy-connection"] = true,
    ["te"] = true,
    ["trailer"] = true,
    ["transfer-encoding"] = true,
    ["upgrade"] = true,
}

-- What the client is told of an answer that is no yes.
local HANDED_ON = {
    "location", "set-cookie", "content-type", "cache-control", "www-authenticate", "content-security-policy",
    "referrer-policy", "x-content-type-options", "x-frame-options",
}

-- Headers are lists that begin at 0; the client and the reply want them to begin at 1.
local function list(values)
    local from_one = {}
    for index = 0, #values do
        from_one[index + 1] = values[index]
    end
    return from_one
end

local function question(txn)
    local headers = {}
    for name, values in pairs(txn.http:req_get_headers()) do
        if not NOT_ASKED[name] then
            headers[name] = list(values)
        end
    end
    headers["x-forwarded-method"] = { txn.f:method() }
    headers["x-forwarded-uri"] = { txn.f:pathq() }
    return headers
end

local function refuse(txn, answer)
    local headers = {}
    for _, name in ipairs(HANDED_ON) do
        if answer.headers and answer.headers[name] then
            headers[name] = list(answer.headers[name])
        end
    end
    local body = txn.f:method() ~= "HEAD" and answer.body or ""
    txn:done(txn:reply({ status = answer.status, headers = headers, body = body }))
end

core.register_action("vestibule", { "http-req" }, function(txn, address)
    local answer = core.httpclient():get({ url = address, headers = question(txn), timeout = 10000 })
    if not answer or not answer.status or answer.status < 200 then
        refuse(txn, { status = 503, body = "Nobody can be asked whether you may see this.\n" })
    elseif answer.status ~= 200 then
        refuse(txn, answer)
    else
        for _, name in ipairs(IDENTITY) do
            local values = answer.headers[name]
            txn.http:req_del_header(name)
            txn.http:req_set_header(name, values and values[0] or "")
        end
    end
end, 1)
