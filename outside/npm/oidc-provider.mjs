// An OpenID provider that others wrote and certified, started as Vestibule's tests need it.
//
// The program is read from the command line (`node --input-type=module --eval`), in the folder
// where npm installed the packages. Environment: OIDC_PORT (0 or nothing: the system chooses),
// OIDC_CLIENTS (a JSON array of client metadata). It prints one line once it answers.
//
// For sessions that last: OIDC_ISSUER (where browsers and clients find it, if something stands in
// front of it), OIDC_TOKEN_LIVES (a JSON array: how many seconds the first access token of a grant
// lives, and how many those got by a refresh; clients with the grant are then given refresh tokens,
// each of which can be used once), OIDC_CLAIMS (a file with a JSON object of claims that differ from
// the usual ones; it is read whenever somebody asks).
//
// The login and consent pages are the package's own development pages: any name signs in with
// any password, and the name becomes the subject. A name that is an e-mail address is the
// address; any other name gets one at example.com.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import Provider from "oidc-provider";

const server = createServer();
await new Promise((listening) => server.listen(Number(process.env.OIDC_PORT ?? 0), "127.0.0.1", listening));
// The issuer contains the port, so the port comes first.
const address = `http://127.0.0.1:${server.address().port}`;
const issuer = process.env.OIDC_ISSUER ?? address;

const lives = process.env.OIDC_TOKEN_LIVES && JSON.parse(process.env.OIDC_TOKEN_LIVES);
// Without it, refresh tokens are for whoever asks for `offline_access`, as the package has it.
const lasting = lives && {
  issueRefreshToken: (_context, client) => client.grantTypeAllowed("refresh_token"),
  rotateRefreshToken: true,
  ttl: { AccessToken: (_context, token) => lives[token.gty.includes("refresh_token") ? 1 : 0] },
};

const unusual = () => (process.env.OIDC_CLAIMS ? JSON.parse(readFileSync(process.env.OIDC_CLAIMS)) : {});

const provider = new Provider(issuer, {
  clients: JSON.parse(process.env.OIDC_CLIENTS ?? "[]"),
  claims: {
    openid: ["sub"],
    email: ["email", "email_verified"],
    profile: ["name", "preferred_username"],
    groups: ["groups"],
  },
  findAccount: (_context, id) => ({
    accountId: id,
    claims: () => ({
      sub: id,
      name: `Name of ${id}`,
      preferred_username: id,
      email: id.includes("@") ? id : `${id}@example.com`,
      email_verified: true,
      groups: ["staff"],
      ...unusual(),
    }),
  }),
  ...lasting,
  features: {
    devInteractions: { enabled: true },
    rpInitiatedLogout: { enabled: true },
    backchannelLogout: { enabled: true },
    revocation: { enabled: true },
  },
  // Its own dispatcher calls nobody on loopback, where all clients of these tests are.
  fetch: (url, { dispatcher: _, ...options }) => fetch(url, options),
  // A client that forgets PKCE is refused, so that a sign-in that works proves it was sent.
  pkce: { required: () => true },
  cookies: { keys: ["these cookies protect nobody"] },
});
provider.on("backchannel.success", (_context, client) => console.log("heeded by", client.clientId));
provider.on("backchannel.error", (_context, error) => console.log("not heeded:", error.message));
provider.on("grant.revoked", () => console.log("a grant was revoked"));
provider.on("server_error", (_context, error) => console.error(error));
server.on("request", provider.callback());
console.log(`listening on ${address}`);
