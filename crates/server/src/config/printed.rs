//! The whole default file with its comments, as `refundry config` prints it.

use super::keys::{ACQUIRER, Key, Kind, SECTIONS, Section};
use super::values::environment_name;
use std::fmt::Write;

/// The commented default file.
pub fn default_file() -> String {
    let mut text = String::from(
        "# Refundry configuration. Every key is optional; what is written here are the defaults.\n\
         # Environment variables override the file; lists are separated by commas.\n\
         # Refundry 配置。所有键均可省略；此处为默认值。环境变量优先于文件；列表以逗号分隔。\n",
    );
    for section in SECTIONS {
        let printed = print_section(&mut text, section);
        printed.expect("writing into a String never fails");
    }
    text
}

fn print_section(text: &mut String, section: &Section) -> std::fmt::Result {
    let Section { name, about: (english, chinese), keys } = section;
    writeln!(text, "\n# {english}\n# {chinese}")?;
    let heading = if *name == ACQUIRER { "acquirer.simulated" } else { name };
    writeln!(text, "[{heading}]")?;
    for key in *keys {
        print_key(text, heading, key)?;
    }
    if *name == ACQUIRER {
        text.push_str(
            "\n# [acquirer.bank]\n# kind = \"http\"\n# url = \"https://payments.example.com/refunds\"\n# secret = \"whsec_...\"\n",
        );
    }
    Ok(())
}

fn print_key(text: &mut String, heading: &str, key: &Key) -> std::fmt::Result {
    let Key { name, kind, about: (english, chinese) } = key;
    writeln!(text, "\n# {english}\n# {chinese}")?;
    let limits = match kind {
        Kind::Integer(_, least, most) => format!("{least} … {most}; "),
        Kind::Switch(_) => "true or false; ".to_owned(),
        Kind::Text(_, form) | Kind::List(_, form) => form.expected().map(|(english, _)| format!("{english}; ")).unwrap_or_default(),
    };
    writeln!(text, "# {limits}{}", environment_name(heading, name))?;
    writeln!(text, "{name} = {}", kind.default())
}
