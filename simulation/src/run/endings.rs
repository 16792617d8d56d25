//! Sessions end from elsewhere: by their person, by their provider.

use vestibule::{driver::Host as _, flow::Outcome, request::PlainHead};

use super::{
    PEOPLE, Run,
    people::{Asked, Condemned, Form, Kind, Notice, Whose},
};
use crate::{
    Bug,
    plugin::{ISSUER, logout_token},
    town::at_once,
};

/// For how long whoever ends sessions is surely remembered, for those that are beginning.
pub(super) const CONDEMNED: i64 = 1_000;

impl Run<'_> {
    /// Somebody signs out everywhere, in one go.
    pub(super) fn end_everywhere(&mut self) {
        let (person, at) = (self.dice.one_of(&PEOPLE), self.dice.below(2));
        let ended = at_once(self.instances[at].end_sessions(ISSUER, person, None));
        let (whose, stamp) = (Whose::Account(person.to_owned()), self.clocks.at(at));
        self.perhaps_ended(&whose);
        if ended.is_err() {
            self.note("signed out everywhere in part");
            return;
        }
        self.surely_ended(&whose, self.step, stamp, self.clocks.time());
        self.note("signed out everywhere");
    }

    /// Sessions of these may end at any time from here on.
    fn perhaps_ended(&mut self, whose: &Whose) {
        let theirs = self.tickets.values_mut().filter(|known| whose.is(&known.person, &known.idp_session));
        theirs.for_each(|known| known.may_be_gone = true);
        for task in self.tasks.iter_mut().filter(|task| task.asked.is_of(whose)) {
            if task.asked.condemned == Condemned::Not {
                task.asked.condemned = Condemned::Perhaps;
            }
        }
    }

    /// Those that were there before `sent` have ended, and those whose callback came before the `stamp` and finds that
    /// while it is remembered: it may have been written down at the time `since`.
    fn surely_ended(&mut self, whose: &Whose, sent: usize, stamp: i64, since: i64) {
        let step = self.step;
        let is_remembered = self.clocks.time() - since < CONDEMNED;
        for known in self.tickets.values_mut().filter(|known| whose.is(&known.person, &known.idp_session)) {
            if known.began <= sent || known.answered <= stamp && is_remembered {
                known.ended.get_or_insert(step);
            }
        }
        for task in self.tasks.iter_mut().filter(|task| task.asked.is_of(whose)) {
            if task.asked.heard_at <= stamp {
                task.asked.condemned = Condemned::Since(since);
            }
        }
    }

    /// The provider says that sessions have ended: something new, or what it has said before.
    pub(super) fn notify(&mut self) -> Result<(), String> {
        let is_under_way = |run: &Self, notice: &Notice| {
            let mut notices = run.tasks.iter().filter_map(|task| task.asked.notice.as_ref());
            notices.any(|other| other.number == notice.number)
        };
        let again = match self.dice.below(3) {
            0 => self.unheard.pop(),
            1 => self.heard.last().cloned(),
            _ => None,
        };
        let notice = match again {
            Some(notice) if is_under_way(self, &notice) => return Ok(()),
            Some(notice) => {
                self.note("notice sent again");
                notice
            }
            None => self.new_notice(),
        };
        let browser = self.dice.below(self.browsers.len());
        let mut asked = self.asked(Kind::Notice, browser, head(&notice));
        asked.body = body(&notice);
        if notice.form != Form::Forged && !notice.copy {
            self.perhaps_ended(&notice.whose);
        }
        let low = asked.low.min(notice.lowest);
        asked.notice = Some(Notice { lowest: low, ..notice });
        self.note("notice sent");
        if self.has(Bug::NoticesDropped) {
            self.heeded(&asked);
            return Ok(());
        }
        let machine = &self.machines[asked.at];
        let step = asked.vestibule.handle(&asked.head, &asked.body, machine.now(), machine.seed());
        self.stepped(asked, step)
    }

    fn new_notice(&mut self) -> Notice {
        let form = match self.dice.below(8) {
            0 => Form::Forged,
            1 | 2 => Form::Frame,
            _ => Form::Signed,
        };
        let whose = if form == Form::Frame || self.dice.one_in(2) {
            let beginning = self.tasks.iter().filter_map(|task| task.asked.tab.as_ref());
            let beginning = beginning.map(|tab| &tab.idp_session);
            let known = self.tickets.values().map(|known| &known.idp_session);
            let all: Vec<&String> = beginning.chain(known).collect();
            match all.is_empty() {
                true => Whose::IdpSession("sid-of-nobody".to_owned()),
                false => Whose::IdpSession(self.dice.one_of(&all).clone()),
            }
        } else {
            Whose::Account(self.dice.one_of(&PEOPLE).to_owned())
        };
        self.notices += 1;
        let (number, issued) = (self.notices, self.clocks.time());
        Notice { form, whose, number, issued, copy: false, sent: self.step, lowest: i64::MAX }
    }

    /// A notice has been answered.
    pub(super) fn noticed(&mut self, asked: Asked, outcome: &Outcome) -> Result<(), String> {
        let Some(form) = asked.notice.as_ref().map(|notice| notice.form) else { return Ok(()) };
        match (outcome.response.status, form) {
            (200, Form::Forged) => return Err("a forged notice was heeded".to_owned()),
            (_, Form::Forged) => self.note("notice forged"),
            (200, _) => self.heeded(&asked),
            // Its clock is not ours, or it has become too old.
            (400, _) => self.note("notice refused"),
            _ => {
                self.note("notice failed");
                self.given_up(&asked);
                self.unheard.extend(asked.notice.filter(|notice| notice.form == Form::Signed));
            }
        }
        Ok(())
    }

    /// Somebody has stopped ending sessions, who knows where: of those that began meanwhile, too.
    pub(super) fn given_up(&mut self, asked: &Asked) {
        if let Some(notice) = asked.notice.as_ref().filter(|notice| !notice.copy) {
            self.perhaps_ended(&notice.whose);
        }
    }

    fn heeded(&mut self, asked: &Asked) {
        let Some(notice) = &asked.notice else { return };
        if notice.copy {
            self.note("notice of a copy");
            return;
        }
        let lowest = notice.lowest.min(asked.low);
        // A frame leaves nothing behind for those that are just beginning.
        let stamp = if notice.form == Form::Frame { i64::MIN } else { lowest };
        // Of the provider's own session, nothing is left whenever it began.
        let is_session = matches!(notice.whose, Whose::IdpSession(_)) && notice.form == Form::Signed;
        self.perhaps_ended(&notice.whose);
        let stamp = if is_session { i64::MAX } else { stamp };
        self.surely_ended(&notice.whose, notice.sent, stamp, notice.issued);
        match notice.form {
            Form::Frame => self.note("frame shown"),
            _ => {
                self.heard.push(Notice { copy: true, ..notice.clone() });
                self.note("notice heeded");
            }
        }
    }
}

fn head(notice: &Notice) -> PlainHead {
    match (notice.form, &notice.whose) {
        (Form::Frame, Whose::IdpSession(session)) => {
            let target = format!("/oauth2/frontchannel_logout?iss=https%3A%2F%2Fplain.example&sid={session}");
            PlainHead::new("GET", &target)
        }
        _ => PlainHead::new("POST", "/oauth2/backchannel_logout")
            .with("content-type", "application/x-www-form-urlencoded"),
    }
}

fn body(notice: &Notice) -> Vec<u8> {
    let (kind, name) = match &notice.whose {
        Whose::IdpSession(session) => ("sid", session),
        Whose::Account(person) => ("sub", person),
    };
    let signature = if notice.form == Form::Forged { "scribbled" } else { "signed" };
    let token = logout_token(signature, notice.number, kind, name, notice.issued);
    url::form_urlencoded::Serializer::new(String::new())
        .append_pair("logout_token", &token)
        .finish()
        .into_bytes()
}
