//! What a caller says about a technician, checked before anything is written.

use crate::domain::technician::{Email, UserId, folder_name};
use crate::error::{Exit, Failure};
use crate::ledger::WantedTechnician;

/// A technician to be made, or to be brought up to date.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// What the backend calls them.
    pub user: UserId,
    /// What is wanted of them.
    pub wanted: WantedTechnician,
    /// What somebody without a name is called (CONTRACT 4.1).
    pub called: String,
}

impl Candidate {
    /// Checks each part. An e-mail as `user` is also the e-mail, and names the folder unless `name` does.
    pub fn parse(user: &str, email: Option<&str>, name: Option<&str>, portal_user: Option<&str>) -> Result<Self, Failure> {
        let wrong = |what: &'static str, why: String| {
            Failure::new(Exit::Data, what, why).hint("nothing was changed; correct it and run the same command again")
        };
        let user = UserId::parse(user).map_err(|why| wrong("user_invalid", why))?;
        let email = match email {
            Some(text) => Some(Email::parse(text).map_err(|why| wrong("email_invalid", format!("for {user}: {why}")))?),
            None => Email::parse(user.as_str()).ok(),
        };
        let name = name.map(str::trim).filter(|n| !n.is_empty());
        let by_default = if Email::parse(user.as_str()).is_ok() { user.to_string() } else { format!("Usuario_{user}") };
        let folder = folder_name(name.unwrap_or(&by_default)).map_err(|why| wrong("name_invalid", format!("for {user}: {why}")))?;
        if portal_user.is_some_and(|p| p.chars().any(char::is_control)) {
            return Err(wrong("portal_user_invalid", format!("for {user}: the portal user holds control characters")));
        }
        let portal_user = portal_user.map(str::trim).filter(|p| !p.is_empty()).map(str::to_owned);
        let called = name.unwrap_or(&by_default).to_owned();
        Ok(Self { user, wanted: WantedTechnician { name: name.map(str::to_owned), email, portal_user, folder }, called })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_e_mail_is_user_e_mail_and_folder_until_a_name_is_given() {
        let c = Candidate::parse("ana@example.com", None, None, None).expect("good");
        assert_eq!((c.wanted.folder.as_str(), c.wanted.email.as_ref().map(Email::as_str)), ("ana@example.com", Some("ana@example.com")));
        let c = Candidate::parse("ana@example.com", None, Some("Ana Maria"), None).expect("good");
        assert_eq!(c.wanted.folder, "Ana_Maria");
    }

    #[test]
    fn c4_1_without_a_name_the_folder_is_called_after_the_user() {
        assert_eq!(Candidate::parse("42", Some("ana@example.com"), None, None).expect("good").wanted.folder, "Usuario_42");
    }

    #[test]
    fn each_part_is_refused_by_its_own_code() {
        let code = |r: Result<Candidate, Failure>| r.expect_err("refused").code();
        assert_eq!(code(Candidate::parse(" ", None, None, None)), "user_invalid");
        assert_eq!(code(Candidate::parse("42", Some("ana"), None, None)), "email_invalid");
        assert_eq!(code(Candidate::parse("42", None, Some("../x"), None)), "name_invalid");
        assert_eq!(code(Candidate::parse("a/b", None, None, None)), "name_invalid");
    }
}
