//! A JSON object that can hold what JSON libraries refuse to write: a member twice, or a number of 400 digits.

use serde_json::Value;

use crate::lie::Edit;

/// An object's members in order, each value as the text that will be sent.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Members(Vec<(String, String)>);

impl Members {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// The members of `value`; none unless it is an object.
    pub(crate) fn of(value: &Value) -> Self {
        let members = value.as_object().into_iter().flatten();
        Self(members.map(|(name, value)| (name.clone(), value.to_string())).collect())
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.push((name.to_owned(), value.into().to_string()));
        self
    }

    pub(crate) fn with_some(self, name: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    pub(crate) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub(crate) fn edit(&mut self, name: &str, edit: &Edit) {
        match edit {
            Edit::Set(value) => self.set(name, value.to_string()),
            Edit::Text(json) => self.set(name, json.clone()),
            Edit::Remove => self.0.retain(|(other, _)| other != name),
            Edit::Double(first) => self.0.insert(0, (name.to_owned(), first.to_string())),
            Edit::Append(suffix) => {
                for (_, text) in self.0.iter_mut().filter(|(other, _)| other == name) {
                    if let Ok(Value::String(honest)) = serde_json::from_str(text) {
                        *text = Value::String(honest + suffix).to_string();
                    }
                }
            }
        }
    }

    /// Replaces each `{{name}}` in `template` by the JSON text of that member.
    pub(crate) fn fill(&self, template: &str) -> String {
        let fill =
            |text: String, (name, value): &(String, String)| text.replace(&format!("{{{{{name}}}}}"), value);
        self.0.iter().fold(template.to_owned(), fill)
    }

    pub(crate) fn to_json(&self) -> String {
        let member = |(name, text): &(String, String)| format!("{}:{text}", Value::from(name.as_str()));
        let members: Vec<String> = self.0.iter().map(member).collect();
        format!("{{{}}}", members.join(","))
    }

    fn set(&mut self, name: &str, text: String) {
        match self.0.iter_mut().find(|(other, _)| other == name) {
            Some((_, old)) => *old = text,
            None => self.0.push((name.to_owned(), text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn edited(edit: Edit) -> String {
        let mut members = Members::new().with("sub", "1").with("exp", 5);
        members.edit("sub", &edit);
        members.to_json()
    }

    #[test]
    fn each_edit_does_its_one_thing() {
        assert_eq!(edited(Edit::Set(json!(["1"]))), r#"{"sub":["1"],"exp":5}"#);
        assert_eq!(edited(Edit::Text("1e999".into())), r#"{"sub":1e999,"exp":5}"#);
        assert_eq!(edited(Edit::Remove), r#"{"exp":5}"#);
        assert_eq!(edited(Edit::Append("x".into())), r#"{"sub":"1x","exp":5}"#);
        assert_eq!(edited(Edit::Double(json!("0"))), r#"{"sub":"0","sub":"1","exp":5}"#);
    }

    #[test]
    fn a_suffix_leaves_alone_what_is_no_text() {
        let mut members = Members::new().with("exp", 5);
        members.edit("exp", &Edit::Append("1".into()));
        assert_eq!(members.to_json(), r#"{"exp":5}"#);
    }

    #[test]
    fn a_template_takes_json_texts() {
        let members = Members::new().with("sub", "a\"b").with("exp", 5);
        assert_eq!(members.fill(r#"{"sub":{{sub}},"exp":"{{exp}}"}"#), r#"{"sub":"a\"b","exp":"5"}"#);
    }
}
