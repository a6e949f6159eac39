//! `tecnico completions`.

use clap::{Arg, Command, ValueHint};
use clap_complete::{Shell, generate};

use crate::context::Context;
use crate::error::Exit;

/// Print a script that completes commands, flags and user ids on Tab
///
/// The Debian package installs it. By hand, for the shell at hand:
///
///     tecnico completions bash > ~/.local/share/bash-completion/completions/tecnico
///     tecnico completions fish > ~/.config/fish/completions/tecnico.fish
///     tecnico completions zsh  > _tecnico          (into a folder of $fpath)
///
/// User ids come from the ledger of the configuration that a plain `tecnico` finds.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// The shell; "users" prints what the scripts ask for: the user ids, one a line
    #[arg(value_parser = ["bash", "zsh", "fish", "users"])]
    shell: String,
}

/// Runs `tecnico completions`.
pub async fn run(args: &Args, cli: &Command, context: &Context) -> anyhow::Result<Exit> {
    let cli = &visible(cli);
    match args.shell.as_str() {
        "bash" => context.ui.say(bash(cli).trim_end()),
        "zsh" => context.ui.say(zsh(cli).trim_end()),
        "fish" => context.ui.say(fish(cli).trim_end()),
        _ => users(context).await,
    }
    Ok(Exit::Done)
}

/// Somebody is typing: no ledger means no ids, not an error in the middle of the line.
async fn users(context: &Context) {
    // Opening makes a ledger where there is none; a keypress must not.
    let Ok(settings) = context.settings().await else { return };
    if !settings.ledger_path.exists() {
        return;
    }
    let Ok(ledger) = context.ledger().await else { return };
    for technician in ledger.technicians().await.unwrap_or_default() {
        context.ui.say(technician.user);
    }
}

/// The commands people type, without those that only build the package; no files are offered where none is meant.
fn visible(cli: &Command) -> Command {
    let commands = cli.get_subcommands().filter(|c| !c.is_hide_set()).cloned().map(without_files);
    without_files(Command::new("tecnico").version("0").propagate_version(true).args(cli.get_arguments().cloned()))
        .subcommands(commands)
        // "users" is for the scripts, nothing that anybody types.
        .mut_subcommand("completions", |c| c.mut_arg("shell", |a| a.value_parser(["bash", "zsh", "fish"])))
}

fn without_files(command: Command) -> Command {
    let other = |arg: Arg| {
        // Paths are known by their type.
        let wanted = arg.get_action().takes_values() && arg.get_value_hint() == ValueHint::Unknown && !is_user(&arg);
        if wanted { arg.value_hint(ValueHint::Other) } else { arg }
    };
    command.mut_args(other).mut_subcommands(without_files)
}

/// Whether a user id belongs here: the operands, and flags that repeat one.
fn is_user(arg: &Arg) -> bool {
    matches!(arg.get_id().as_str(), "user" | "users") || arg.get_value_names().is_some_and(|names| names.iter().any(|n| n == "USER"))
}

/// Flags whose value is a user id.
fn flags_of_users(cli: &Command) -> Vec<String> {
    let flags = cli.get_subcommands().flat_map(Command::get_arguments).filter(|a| is_user(a));
    flags.filter_map(|a| a.get_long().map(|l| format!("--{l}"))).collect()
}

fn script(shell: Shell, cli: &Command) -> String {
    let mut text = Vec::new();
    generate(shell, &mut cli.clone(), "tecnico", &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// The commands whose words are user ids.
fn commands_of_users(cli: &Command) -> Vec<String> {
    let of_users = |c: &&Command| c.get_positionals().any(|a| matches!(a.get_id().as_str(), "user" | "users"));
    cli.get_subcommands().filter(of_users).map(|c| c.get_name().to_owned()).collect()
}

/// Flags that take the next word, so that this word is no user id.
fn flags_with_values(cli: &Command) -> Vec<String> {
    let all = cli.get_subcommands().flat_map(Command::get_arguments).chain(cli.get_arguments());
    let mut flags: Vec<String> =
        all.filter(|a| a.get_action().takes_values()).filter_map(|a| a.get_long().map(|l| format!("--{l}"))).collect();
    flags.sort();
    flags.dedup();
    flags
}

fn bash(cli: &Command) -> String {
    let (commands, flags) = (commands_of_users(cli).join("|"), flags_with_values(cli).join("|"));
    let own = flags_of_users(cli).join("|");
    script(Shell::Bash, cli)
        + &format!(
            r#"
_tecnico_with_users() {{
    # Nothing is said in the middle of somebody's line.
    _tecnico "$@" 2>/dev/null
    local word command= kept=()
    # What stands for a word to be typed is no word to complete.
    for word in "${{COMPREPLY[@]}}"; do
        [[ "$word" == [[\<]* ]] || kept+=("$word")
    done
    COMPREPLY=("${{kept[@]}}")
    for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        case "$word" in {commands}) command="$word"; break ;; esac
    done
    [[ -n "$command" && "$2" != -* ]] || return 0
    case "$3" in
        {own}) COMPREPLY=() ;;
        {flags}) return 0 ;;
    esac
    # A user is wanted here, no file.
    compopt +o default +o bashdefault 2>/dev/null
    local user
    while IFS= read -r user; do
        [[ "$user" == "$2"* ]] && COMPREPLY+=("$(printf '%q' "$user")")
    done < <(tecnico completions users 2>/dev/null)
    return 0
}}
complete -F _tecnico_with_users -o bashdefault -o default tecnico
"#
        )
}

fn zsh(cli: &Command) -> String {
    let mut text = String::new();
    for line in script(Shell::Zsh, cli).lines() {
        let of_user = ["':user -- ", "'::user -- ", "'*::users -- ", "'*:users -- "].iter().any(|start| line.starts_with(start));
        let of_user = of_user || line.contains(":USER:_default'");
        text.push_str(&if of_user { line.replacen(":_default'", ":_tecnico_users'", 1) } else { line.to_owned() });
        text.push('\n');
        if line == "autoload -U is-at-least" {
            text.push_str("\n_tecnico_users() {\n    local -a users\n    users=(\"${(@f)$(tecnico completions users 2>/dev/null)}\")\n");
            text.push_str("    compadd -a users\n}\n");
        }
    }
    text
}

fn fish(cli: &Command) -> String {
    let line = |command: &String| {
        format!("complete -c tecnico -n \"__fish_tecnico_using_subcommand {command}\" -f -a \"(tecnico completions users 2>/dev/null)\"\n")
    };
    let flag = |flag: String| {
        let name = flag.trim_start_matches('-');
        format!(
            "complete -c tecnico -l {name} -n \"not __fish_tecnico_needs_command\" -r -f -a \"(tecnico completions users 2>/dev/null)\"\n"
        )
    };
    let lines: Vec<String> = commands_of_users(cli).iter().map(line).chain(flags_of_users(cli).into_iter().map(flag)).collect();
    script(Shell::Fish, cli) + &lines.concat()
}
