//! The lies told so far, and the questions that endpoints ask about them.

use std::collections::VecDeque;

use serde_json::Value;

use super::{Behaviour, Edit, Endpoint, Lie, Object};
use crate::{Signing, json::Members};

/// What was told and not yet taken back.
#[derive(Debug, Default)]
pub(crate) struct Told {
    lies: Vec<Lie>,
    next: VecDeque<(Endpoint, Vec<Behaviour>)>,
}

impl Told {
    pub(crate) fn tell(&mut self, lie: Lie) {
        self.lies.push(lie);
    }

    pub(crate) fn tell_once(&mut self, endpoint: Endpoint, behaviours: Vec<Behaviour>) {
        self.next.push_back((endpoint, behaviours));
    }

    /// How the next answer of `endpoint` behaves. What was told for once is used up and goes before the rest.
    pub(crate) fn behaviours(&mut self, endpoint: Endpoint) -> Vec<Behaviour> {
        if let Some(at) = self.next.iter().position(|(other, _)| *other == endpoint)
            && let Some((_, behaviours)) = self.next.remove(at)
        {
            return behaviours;
        }
        let told = self.lies.iter().filter_map(|lie| match lie {
            Lie::At(other, behaviour) if *other == endpoint => Some(behaviour.clone()),
            _ => None,
        });
        told.collect()
    }

    /// Makes every edit that was told of `object`.
    pub(crate) fn edit(&self, object: Object, members: &mut Members) {
        for lie in &self.lies {
            match lie {
                Lie::Claim { name, value: Some(value) } if object == Object::Claims => {
                    members.edit(name, &Edit::Set(value.clone()));
                }
                Lie::Claim { name, value: None } if object == Object::Claims => {
                    members.edit(name, &Edit::Remove)
                }
                Lie::Member { of, name, edit } if *of == object => members.edit(name, edit),
                _ => {}
            }
        }
    }

    /// The ID token's payload for these honest claims.
    pub(crate) fn payload(&self, honest: &Members) -> Vec<u8> {
        let raw = self.last(|lie| match lie {
            Lie::RawPayload(template) => Some(honest.fill(template).into_bytes()),
            Lie::RawPayloadBytes(bytes) => Some(bytes.clone()),
            _ => None,
        });
        raw.unwrap_or_else(|| {
            let mut claims = honest.clone();
            self.edit(Object::Claims, &mut claims);
            claims.to_json().into_bytes()
        })
    }

    /// The ID token's header for this honest one.
    pub(crate) fn header(&self, honest: Members) -> String {
        let raw = self.last(|lie| match lie {
            Lie::RawHeader(template) => Some(honest.fill(template)),
            _ => None,
        });
        raw.unwrap_or_else(|| {
            let mut header = honest;
            self.edit(Object::Header, &mut header);
            header.to_json()
        })
    }

    pub(crate) fn signing(&self) -> Option<Signing> {
        self.last(|lie| if let Lie::Signing(signing) = lie { Some(signing.clone()) } else { None })
    }

    pub(crate) fn raw_id_token(&self) -> Option<&str> {
        self.last(|lie| if let Lie::RawIdToken(template) = lie { Some(template.as_str()) } else { None })
    }

    pub(crate) fn rotates_before_signing(&self) -> bool {
        self.lies.contains(&Lie::RotateBeforeSigning)
    }

    pub(crate) fn extra_keys(&self) -> Vec<Value> {
        let keys = |lie: &Lie| if let Lie::ExtraKeys(keys) = lie { keys.clone() } else { Vec::new() };
        self.lies.iter().flat_map(keys).collect()
    }

    pub(crate) fn raw_keys(&self) -> Option<&str> {
        self.last(|lie| if let Lie::RawKeys(text) = lie { Some(text.as_str()) } else { None })
    }

    /// Replaces parameters of an authorization response.
    pub(crate) fn callback(&self, parameters: &mut Vec<(String, String)>) {
        for lie in &self.lies {
            if let Lie::Callback { name, values } = lie {
                parameters.retain(|(other, _)| other != name);
                parameters.extend(values.iter().map(|value| (name.clone(), value.clone())));
            }
        }
    }

    pub(crate) fn code_suffix(&self) -> Option<&str> {
        self.last(|lie| if let Lie::CodeSuffix(suffix) = lie { Some(suffix.as_str()) } else { None })
    }

    pub(crate) fn refusal(&self) -> Option<(&str, &str)> {
        self.last(|lie| match lie {
            Lie::Refuse { error, description } => Some((error.as_str(), description.as_str())),
            _ => None,
        })
    }

    pub(crate) fn userinfo_of(&self) -> Option<&str> {
        self.last(|lie| if let Lie::UserinfoOf(subject) = lie { Some(subject.as_str()) } else { None })
    }

    pub(crate) fn signed_userinfo(&self) -> Option<Signing> {
        self.last(|lie| if let Lie::SignedUserinfo(signing) = lie { Some(signing.clone()) } else { None })
    }

    pub(crate) fn signed_logout(&self) -> Option<Signing> {
        self.last(|lie| if let Lie::SignedLogout(signing) = lie { Some(signing.clone()) } else { None })
    }

    /// Of lies that contradict each other the last one told counts.
    fn last<'a, T>(&'a self, pick: impl Fn(&'a Lie) -> Option<T>) -> Option<T> {
        self.lies.iter().rev().find_map(pick)
    }
}
