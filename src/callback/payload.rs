//! What the backend is told, key for key as CONTRACT §3 says; the sentences are Portuguese, for people.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use crate::domain::clock::{Millis, rfc3339};
use crate::domain::item::{Outcome, shown};

/// Whom a callback is about and which of the backend's tasks it answers.
#[derive(Debug, Clone, Copy)]
pub struct Task<'a> {
    /// The backend's id of the user, as given.
    pub user_id: &'a str,
    /// The backend's id of the task.
    pub job_id: &'a str,
    /// The technician's name, for the sentences.
    pub name: &'a str,
}

// CONTRACT 3.3 fixes the fields of these.
/// The folders on Drive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DriveFolders {
    /// Id of the technician's folder.
    pub user_folder_id: String,
    /// Id of `novos`.
    pub novos_folder_id: String,
    /// Id of `processados`.
    pub processados_folder_id: String,
    /// Id of `erro`.
    pub erros_folder_id: String,
    /// Where the technician opens `novos`.
    pub novos_folder_link: String,
    /// Whether `novos` is shared with the technician.
    pub compartilhado: bool,
}

/// The folders on the VM, as absolute paths.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct VmFolders {
    /// The technician's folder.
    pub user_folder: String,
    /// `novos`.
    pub novos_folder: String,
    /// `processados`.
    pub processados_folder: String,
    /// `erro`.
    pub erros_folder: String,
}

/// Both trees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Folders {
    /// On Drive.
    pub drive_folders: DriveFolders,
    /// On the VM.
    pub vm_folders: VmFolders,
}

/// What was done to a technician's folders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// Made.
    Created,
    /// They were all there.
    Unchanged,
    /// What was missing or wrong was put right.
    Repaired,
    /// `novos` was shared.
    Shared,
    /// A share of `novos` was taken back.
    Revoked,
    /// They had been put into the archive and are back.
    Restored,
    /// All access was taken away and they were put into the archive.
    Removed,
    /// They have another name, or `novos` is shared with another address.
    Renamed,
}

/// What was tried with a technician's folders, and failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// Making or sharing them.
    Prepare,
    /// Taking the technician out.
    Remove,
    /// Another name or address.
    Rename,
}

/// What became of a file in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It came to its end.
    Ended(Outcome),
    /// It is put off: not before then, where that is known. Its end is an event of its own.
    Waiting(Option<Millis>),
}

/// One file of a processing run (CONTRACT 3.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileReport {
    /// Drive id.
    pub file_id: String,
    /// Name on Drive.
    pub name: String,
    /// How it went.
    pub fate: Fate,
    /// Why, where there is a reason.
    pub reason: Option<String>,
    /// md5 of the content in lower-case hex, where it is known.
    pub checksum: Option<String>,
    /// What the configured command said about the file: the JSON text of its last line.
    pub data: Option<String>,
}

/// The folders are as they should be.
pub fn folders_done(task: Task<'_>, done: Done, folders: &Folders) -> String {
    let message = folders_sentence(task.name, done);
    let mut result = json!({ "drive_folders": folders.drive_folders, "vm_folders": folders.vm_folders, "message": message });
    if let Some(change) = done.change() {
        result["change"] = json!(change);
    }
    body(task, "success", &result)
}

impl Done {
    /// The word for programs, where the old system never did such a thing: what it did say stays byte for byte (CONTRACT 3.3).
    fn change(self) -> Option<&'static str> {
        match self {
            Self::Removed => Some("removed"),
            Self::Restored => Some("restored"),
            Self::Renamed => Some("renamed"),
            Self::Created | Self::Unchanged | Self::Repaired | Self::Shared | Self::Revoked => None,
        }
    }
}

/// What was done to somebody's folders, for people.
pub fn folders_sentence(name: &str, done: Done) -> String {
    match done {
        Done::Created => format!("As pastas de {name} foram criadas."),
        Done::Unchanged => format!("As pastas de {name} já existem e estão em ordem."),
        Done::Repaired => format!("As pastas de {name} foram reparadas."),
        Done::Shared => format!("A pasta novos de {name} foi compartilhada."),
        Done::Restored => format!("As pastas de {name} foram restauradas do arquivo."),
        Done::Removed => format!("O acesso de {name} foi retirado e as pastas foram arquivadas; nada foi apagado."),
        Done::Renamed => format!("Os dados de {name} foram alterados, com as pastas e o compartilhamento."),
        Done::Revoked => format!("O compartilhamento da pasta novos de {name} foi retirado."),
    }
}

/// Why nothing came of somebody's folders, for people.
pub fn folders_failure_sentence(name: &str, attempt: Attempt, code: &str) -> String {
    let what = match attempt {
        Attempt::Prepare => "preparar as pastas de",
        Attempt::Remove => "retirar o acesso de",
        Attempt::Rename => "alterar os dados de",
    };
    format!("Não foi possível {what} {name}: {}.", cause(code))
}

/// The folders could not be made, shared, put away or renamed. `code` is the failure's stable code; `folders` is what stands all the
/// same, e.g. a whole tree whose share was refused (`compartilhado` false).
pub fn folders_failed(task: Task<'_>, attempt: Attempt, code: &str, folders: Option<&Folders>) -> String {
    let message = folders_failure_sentence(task.name, attempt, code);
    let mut result = json!({ "message": message, "code": code });
    if let Some(folders) = folders {
        result["drive_folders"] = json!(folders.drive_folders);
        result["vm_folders"] = json!(folders.vm_folders);
    }
    body(task, "error", &result)
}

/// Files were handled. `status` tells that the run was carried out; how each file went stands with the file.
/// `files_processed` counts those whose outcome is `processado`.
pub fn process_done(task: Task<'_>, files: &[FileReport]) -> String {
    body(task, "success", &process_result(files))
}

/// The `result` of a run over files.
pub fn process_result(files: &[FileReport]) -> Value {
    let count = |fate: fn(&Fate) -> bool| files.iter().filter(|f| fate(&f.fate)).count();
    let good = count(|f| *f == Fate::Ended(Outcome::Processado));
    let bad = count(|f| *f == Fate::Ended(Outcome::Erro));
    let gone = count(|f| *f == Fate::Ended(Outcome::Retirado));
    let put_off = count(|f| matches!(f, Fate::Waiting(_)));
    let message = match files {
        [] => "Não havia arquivos novos.".to_owned(),
        [one] => one_file(one),
        _ => {
            let mut parts = vec![counted(good, "processado", "processados")];
            if bad > 0 {
                parts.push(format!("{bad} com erro"));
            }
            if gone > 0 {
                parts.push(counted(gone, "retirado", "retirados"));
            }
            if put_off > 0 {
                parts.push(format!("{put_off} aguardando"));
            }
            format!("{} arquivos: {}.", files.len(), parts.join(", "))
        }
    };
    with_files(json!({ "message": message, "files_processed": good }), files)
}

/// Why a run could not be carried out, for people.
pub fn process_failure_sentence(name: &str, code: &str) -> String {
    format!("Não foi possível processar os arquivos de {name}: {}.", cause(code))
}

/// The run itself could not be carried out; `files` are those that were handled before.
pub fn process_failed(task: Task<'_>, code: &str, files: &[FileReport]) -> String {
    let message = process_failure_sentence(task.name, code);
    let good = files.iter().filter(|f| f.fate == Fate::Ended(Outcome::Processado)).count();
    body(task, "error", &with_files(json!({ "message": message, "code": code, "files_processed": good }), files))
}

/// `files` holds what came to its end (CONTRACT 3.4); what is put off stands beside it: the old backend knows three outcomes.
fn with_files(mut result: Value, files: &[FileReport]) -> Value {
    let (waiting, ended): (Vec<&FileReport>, Vec<_>) = files.iter().partition(|f| matches!(f.fate, Fate::Waiting(_)));
    result["files"] = ended.into_iter().map(file).collect();
    if !waiting.is_empty() {
        result["waiting"] = waiting.into_iter().map(file).collect();
    }
    result
}

fn body(task: Task<'_>, status: &str, result: &Value) -> String {
    json!({ "user_id": task.user_id, "job_id": task.job_id, "status": status, "result": result }).to_string()
}

fn file(report: &FileReport) -> Value {
    let mut value = json!({ "file_id": report.file_id, "name": report.name });
    match report.fate {
        Fate::Ended(outcome) => value["outcome"] = json!(outcome.as_str()),
        Fate::Waiting(Some(at)) => value["next_attempt_at"] = json!(rfc3339(at)),
        Fate::Waiting(None) => {}
    }
    if let Some(reason) = &report.reason {
        value["reason"] = json!(reason);
    }
    if let Some(checksum) = &report.checksum {
        value["checksum"] = json!(checksum);
    }
    if let Some(data) = &report.data {
        // Kept as text where it is no JSON after all, rather than lost.
        value["data"] = serde_json::from_str(data).unwrap_or_else(|_| json!(data));
    }
    value
}

fn one_file(report: &FileReport) -> String {
    let (name, why) = (shown(&report.name), report.reason.as_deref());
    let because = why.map(|why| format!(": {why}")).unwrap_or_default();
    match report.fate {
        Fate::Ended(Outcome::Processado) => format!("O arquivo {name} foi processado."),
        Fate::Ended(Outcome::Erro) if why.is_none() => format!("O arquivo {name} foi recusado."),
        Fate::Ended(Outcome::Erro) => format!("O arquivo {name} foi recusado{because}"),
        // When it was taken back, the reason says.
        Fate::Ended(Outcome::Retirado) => format!("O arquivo {name} foi retirado{because}."),
        Fate::Waiting(None) => format!("1 aguardando: o arquivo {name} ainda não foi processado{because}."),
        Fate::Waiting(Some(at)) => {
            format!("1 aguardando: o arquivo {name} ainda não foi processado{because}. Nova tentativa a partir de {}.", rfc3339(at))
        }
    }
}

fn counted(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// A failure's code in words a person at the dashboard can use. Codes without words of their own are
/// named, so that an administrator can look them up.
pub fn cause(code: &str) -> String {
    let words = match code {
        "disk_full" => "o disco da VM está cheio",
        "read_only" | "local_permission" => "não há permissão de escrita na VM",
        "link_refused" | "not_a_directory" | "local_in_the_way" => "há outra coisa no lugar de uma pasta da VM",
        "base_dir_missing" | "base_dir_not_a_directory" => "a pasta base da VM não existe",
        "base_dir_empty" => "a pasta base da VM está vazia",
        "registry_damaged" => "o arquivo tecnicos.json está danificado",
        "ledger_damaged" => "o banco de dados do tecnico está danificado",
        "callback_url_refused" => "o endereço de callback não é permitido",
        "email_invalid" => "o e-mail não é válido",
        "name_invalid" => "o nome não é válido",
        "user_invalid" => "o usuário não é válido",
        "email_taken" => "o e-mail já é de outro técnico",
        "tree_elsewhere" => "uma pasta com este usuário está fora do lugar no Drive; é preciso dizer de quem ela é",
        "parent_not_found" | "parent_trashed" | "parent_not_writable" => "a pasta principal no Drive não está acessível",
        "sharing_forbidden_by_policy" => "a política do domínio não permite compartilhar com este e-mail",
        "invitation_needed" => "o e-mail não tem conta Google e precisa ser convidado",
        "share_refused" | "email_refused" => "o Drive não aceita este e-mail",
        "credentials_refused" | "credentials_revoked" => "o acesso ao Drive foi recusado",
        "drive_unreachable" | "drive_unavailable" | "drive_timeout" | "rate_limited" => "o Drive não respondeu; tente de novo mais tarde",
        "command_unusable" => "o programa que processa os arquivos não pode ser iniciado",
        "layout_takes_inbox" => "a configuração das pastas não serve; é preciso corrigi-la",
        "folders_not_made" => "as pastas do técnico ainda não estão prontas",
        "user_unknown" => "não há técnico com este usuário",
        "user_removed" => "o técnico já foi retirado",
        "not_drained" => "ainda há arquivos em processamento; tente de novo mais tarde",
        "access_left" => "alguém ainda tem acesso às pastas",
        "tree_holds_others" => "a pasta do técnico contém pastas de outros",
        "registry_busy" | "ledger_busy" | "technician_busy" | "part_busy" | "cycle_busy" => {
            "outro processo está em andamento; tente de novo"
        }
        other => return format!("ocorreu uma falha (código {other})"),
    };
    words.to_owned()
}

#[cfg(test)]
mod tests;
