//! Two answers beside each other, part by part.

use vestibule_outside::Reply;

use crate::mask;

/// What one program did with a request.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    /// How often it said `100 Continue` before.
    pub(crate) leave: usize,
    /// Its answer; none where it just closed.
    pub(crate) reply: Option<Reply>,
    /// Whether it took another request afterwards.
    pub(crate) after: After,
}

/// What became of the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum After {
    Kept,
    Closed,
    /// Another answer than one to the next request, or these bytes.
    Strange(Option<String>, String),
    /// Nobody asked.
    Unknown,
}

/// One part of one answer that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) case: String,
    pub(crate) part: String,
    pub(crate) axum: String,
    pub(crate) actix: String,
}

impl Difference {
    /// One, if the two differ.
    pub(crate) fn of(case: &str, part: &str, axum: &str, actix: &str) -> Option<Self> {
        let [case, part, axum, actix] = [case, part, axum, actix].map(str::to_owned);
        (axum != actix).then_some(Self { case, part, axum, actix })
    }
}

/// Every part that differs, after masking.
pub(crate) fn differences(case: &str, axum: &Heard, actix: &Heard) -> Vec<Difference> {
    let status = |heard: &Heard| heard.reply.as_ref().map_or("none".to_owned(), status_line);
    let (Some(left), Some(right)) = (&axum.reply, &actix.reply) else {
        return Difference::of(case, "answer", &status(axum), &status(actix)).into_iter().collect();
    };
    let (ours, theirs) = (headers(left), headers(right));
    let mut found = vec![
        Difference::of(case, "leave", &axum.leave.to_string(), &actix.leave.to_string()),
        Difference::of(case, "status", &status(axum), &status(actix)),
    ];
    let order = |headers: &[(String, String)]| -> String {
        let mut names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
        // Of lines with one name, the order is that of their values, which are compared in order.
        names.dedup();
        names.join(" ")
    };
    let mut names: Vec<&str> = ours.iter().chain(&theirs).map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let same_names = names.iter().all(|name| lines(&ours, name).is_some() == lines(&theirs, name).is_some());
    if same_names {
        found.push(Difference::of(case, "order", &order(&ours), &order(&theirs)));
    }
    for name in names {
        let value = |headers| lines(headers, name).unwrap_or("none".to_owned());
        found.push(Difference::of(case, &format!("header {name}"), &value(&ours), &value(&theirs)));
    }
    found.push(Difference::of(case, "body", &body(left), &body(right)));
    found.push(Difference::of(
        case,
        "connection",
        &format!("{:?}", axum.after),
        &format!("{:?}", actix.after),
    ));
    found.into_iter().flatten().collect()
}

/// An answer as text, masked, to be looked at or compared as a whole; its headers sorted by name.
pub(crate) fn text(reply: &Reply) -> String {
    let mut headers = headers(reply);
    headers.sort_by(|(left, _), (right, _)| left.cmp(right));
    let headers: Vec<_> = headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    format!("{}\n{}\n{}", status_line(reply), headers.concat(), body(reply))
}

fn status_line(reply: &Reply) -> String {
    reply.head.lines().next().unwrap_or_default().to_owned()
}

/// Names and values as they came, in order, the values masked. A space too many is kept.
fn headers(reply: &Reply) -> Vec<(String, String)> {
    let lines = reply.head.split("\r\n").skip(1).filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let (name, value) = line.split_once(": ").unwrap_or((line, "without a value"));
            (name.to_owned(), mask::header(&name.to_ascii_lowercase(), value))
        })
        .collect()
}

/// Every line of one name.
fn lines(headers: &[(String, String)], name: &str) -> Option<String> {
    let values: Vec<&str> =
        headers.iter().filter(|(own, _)| own == name).map(|(_, value)| value.as_str()).collect();
    (!values.is_empty()).then(|| values.join(" ⏎ "))
}

fn body(reply: &Reply) -> String {
    mask::body(reply.header("content-type").unwrap_or_default(), &reply.text())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(head: &str, body: &str) -> Heard {
        let reply = Reply { status: 200, head: format!("{head}\r\n\r\n"), body: body.into() };
        Heard { leave: 0, reply: Some(reply), after: After::Kept }
    }

    fn parts(left: &Heard, right: &Heard) -> Vec<String> {
        differences("case", left, right).into_iter().map(|difference| difference.part).collect()
    }

    #[test]
    fn every_part_that_differs_is_found_and_nothing_else() {
        let honest = heard("HTTP/1.1 200 OK\r\na: 1\r\nset-cookie: b=1\r\nset-cookie: c=2", "text");
        assert_eq!(parts(&honest, &honest), [""; 0]);
        for (head, body, found) in [
            ("HTTP/1.1 201 OK\r\na: 1\r\nset-cookie: b=1\r\nset-cookie: c=2", "text", vec!["status"]),
            ("HTTP/1.1 200 Fine\r\na: 1\r\nset-cookie: b=1\r\nset-cookie: c=2", "text", vec!["status"]),
            ("HTTP/1.1 200 OK\r\nset-cookie: b=1\r\nset-cookie: c=2\r\na: 1", "text", vec!["order"]),
            ("HTTP/1.1 200 OK\r\na: 1\r\nset-cookie: b=1", "text", vec!["header set-cookie"]),
            (
                "HTTP/1.1 200 OK\r\na: 1\r\nset-cookie: c=2\r\nset-cookie: b=1",
                "text",
                vec!["header set-cookie"],
            ),
            (
                "HTTP/1.1 200 OK\r\nA: 1\r\nset-cookie: b=1\r\nset-cookie: c=2",
                "text",
                vec!["header A", "header a"],
            ),
            ("HTTP/1.1 200 OK\r\na:  1\r\nset-cookie: b=1\r\nset-cookie: c=2", "text", vec!["header a"]),
            ("HTTP/1.1 200 OK\r\na: 1\r\nset-cookie: b=1\r\nset-cookie: c=2", "Text", vec!["body"]),
        ] {
            assert_eq!(parts(&honest, &heard(head, body)), found, "{head}");
        }
        let closed = Heard { after: After::Closed, ..honest.clone() };
        assert_eq!(parts(&honest, &closed), ["connection"]);
        let told = Heard { leave: 1, ..honest.clone() };
        assert_eq!(parts(&honest, &told), ["leave"]);
        let silent = Heard { reply: None, ..honest.clone() };
        assert_eq!(parts(&honest, &silent), ["answer"]);
        assert_eq!(parts(&silent, &silent), [""; 0]);
    }
}
