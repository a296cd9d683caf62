//! `refundry key …`: issues, lists, rotates and revokes credentials on this machine. Secrets are printed once, when they are made.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{ArgGroup, Args, Subcommand};
use refundry_engine::credential::{Credential, Holder};
use refundry_engine::{CredentialId, MerchantId, PersonId, TerminalId};
use refundry_service::credentials::{self, IssuedCredential, NewCredential, NewKey};
use refundry_service::tokens::GivenSecret;
use refundry_store::{PAGE_LIMIT_MAX, PageRequest};
use serde_json::json;
use zeroize::Zeroizing;

use super::at_the_desk::{Desk, print};

/// Issue, list, rotate and revoke credentials.
#[derive(Args, Debug)]
pub struct Key {
    #[command(flatten)]
    desk: Desk,
    /// What to do.
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Issue a credential to the operator, a merchant or a terminal.
    Issue(Issue),
    /// List credentials, without secrets.
    List {
        /// Of this merchant and its terminals; without it all of them.
        #[arg(long)]
        merchant: Option<MerchantId>,
    },
    /// Issue the next version of a credential; the one before stays valid for a while.
    Rotate {
        /// Which.
        credential: CredentialId,
        /// Hours for which both are valid.
        #[arg(long, default_value_t = 24)]
        overlap_hours: u32,
        #[command(flatten)]
        proof: Proof,
    },
    /// End a credential now.
    Revoke {
        /// Which.
        credential: CredentialId,
    },
}

#[derive(Args, Debug)]
#[command(group = ArgGroup::new("holder").required(true))]
struct Issue {
    /// To the operator.
    #[arg(long, group = "holder")]
    operator: bool,
    /// To a merchant, for all its terminals.
    #[arg(long, group = "holder")]
    merchant: Option<MerchantId>,
    /// To a terminal, as `mer_…/ter_…`.
    #[arg(long, group = "holder")]
    terminal: Option<String>,
    /// What it is for: `native`, or the terminal's dialect.
    #[arg(long, default_value = "native")]
    dialect: String,
    /// Who people see in timelines.
    #[arg(long, default_value = "desk")]
    name: String,
    /// The dialect's name for the caller, such as an Antom client id; one is made when it is left out.
    #[arg(long)]
    lookup: Option<String>,
    /// The person whose it is; their role bounds it.
    #[arg(long)]
    person: Option<PersonId>,
    /// What the holder may do, such as `refunds:write`; left out, what is usual.
    #[arg(long, value_delimiter = ',')]
    permissions: Vec<String>,
    #[command(flatten)]
    proof: Proof,
}

#[derive(Args, Debug)]
struct Proof {
    /// The caller's public key: a file with base64 of SubjectPublicKeyInfo or, of SM2, the digits of the point. Without it a token is made.
    #[arg(long)]
    public_key: Option<PathBuf>,
    /// Make both key pairs here, and print the caller's private key: sandbox only.
    #[arg(long, conflicts_with = "public_key")]
    both_pairs: bool,
    /// With --both-pairs: make pairs of SM2 instead of RSA, for dialects that take it (Baofoo).
    #[arg(long, requires = "both_pairs")]
    sm2: bool,
    /// A secret that both sides know (Oceanpayment's secureCode): one is made here and printed.
    #[arg(long, conflicts_with_all = ["public_key", "both_pairs"])]
    shared_secret: bool,
    /// As --shared-secret, but take the one that the caller has already: the first line of this file. `-` reads it from the standard input.
    #[arg(long, conflicts_with_all = ["public_key", "both_pairs", "shared_secret"])]
    secret_file: Option<PathBuf>,
}

impl Proof {
    fn key(&self) -> anyhow::Result<NewKey> {
        if let Some(file) = &self.secret_file {
            return Ok(NewKey::SharedSecret(Some(GivenSecret::new(first_line(file)?))));
        }
        if self.shared_secret {
            return Ok(NewKey::SharedSecret(None));
        }
        match &self.public_key {
            Some(file) => {
                let text = std::fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
                Ok(NewKey::PublicKey(text.trim().to_owned()))
            }
            None if self.both_pairs && self.sm2 => Ok(NewKey::BothSm2Pairs),
            None if self.both_pairs => Ok(NewKey::BothPairs),
            None => Ok(NewKey::Token),
        }
    }
}

/// The first line of a file: secrets on the command line are seen by everybody on the machine.
fn first_line(file: &Path) -> anyhow::Result<Zeroizing<String>> {
    let read = if file == Path::new("-") { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(file) };
    let text = Zeroizing::new(read.with_context(|| format!("read {}", file.display()))?);
    Ok(Zeroizing::new(text.lines().next().unwrap_or_default().trim().to_owned()))
}

impl Key {
    /// Does it, and prints JSON lines.
    pub fn run(self) -> anyhow::Result<()> {
        let Self { desk, what } = self;
        let mode = desk.mode();
        desk.work(async |service, caller| {
            match what {
                What::Issue(issue) => {
                    let holder = match (issue.merchant, &issue.terminal) {
                        (Some(merchant_id), _) => Holder::Merchant { merchant_id },
                        (None, Some(text)) => {
                            let (merchant, terminal) =
                                text.split_once('/').context("--terminal is mer_…/ter_… / --terminal 的格式为 mer_…/ter_…")?;
                            Holder::Terminal { merchant_id: merchant.parse()?, terminal_id: terminal.parse::<TerminalId>()? }
                        }
                        (None, None) => Holder::Operator { mode },
                    };
                    let new = NewCredential {
                        holder,
                        dialect: issue.dialect,
                        key: issue.proof.key()?,
                        lookup: issue.lookup,
                        permissions: (!issue.permissions.is_empty()).then_some(issue.permissions),
                        name: issue.name,
                        person_id: issue.person,
                        expires_at: None,
                    };
                    print(&issued(&credentials::issue(service, caller, new).await?));
                }
                What::Rotate { credential, overlap_hours, proof } => {
                    let overlap_seconds = overlap_hours.saturating_mul(3_600);
                    print(&issued(&credentials::rotate(service, caller, credential, proof.key()?, overlap_seconds).await?));
                }
                What::Revoke { credential } => {
                    credentials::revoke(service, caller, credential, None).await?;
                    print(&json!({ "credential_id": credential, "revoked": true }));
                }
                What::List { merchant } => {
                    let mut page = PageRequest { after: None, limit: PAGE_LIMIT_MAX };
                    loop {
                        let read = credentials::list(service, caller, merchant, page).await?;
                        read.rows.iter().for_each(|row| print(&line(row)));
                        let Some(next) = read.next else { break };
                        page.after = Some(next);
                    }
                }
            }
            Ok(())
        })
    }
}

fn issued(issued: &IssuedCredential) -> serde_json::Value {
    let mut line = line(&issued.credential);
    if let Some(token) = &issued.token {
        line["token"] = token.as_str().into();
    }
    if let Some(secret) = &issued.secret {
        line["secret"] = secret.as_str().into();
    }
    if let Some(key) = &issued.private_key {
        line["private_key"] = key.as_str().into();
    }
    line
}

fn line(credential: &Credential) -> serde_json::Value {
    json!({
        "credential_id": credential.id,
        "dialect": credential.dialect,
        "lookup": credential.lookup,
        "scheme": credential.scheme,
        "key_version": credential.key_version,
        "our_public_key": credential.public_key,
        "name": credential.name,
        "person_id": credential.person_id,
        "permissions": credential.permissions,
        "revoked": credential.revoked_at.is_some(),
    })
}
