//! What the checks want to know of a Rust source file: how long its production part is, what it defines, and whether it
//! silences a check.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// A function, method or trait function with a body or without.
#[derive(Debug)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The type or trait it belongs to, if any.
    pub owner: Option<String>,
    /// The line it starts on.
    pub line: usize,
    /// Lines from its signature to its closing brace.
    pub lines: usize,
    /// Parameters, not counting `self`.
    pub parameters: usize,
}

/// One parsed file.
#[derive(Debug, Default)]
pub struct RustSource {
    /// Lines outside items marked `#[cfg(test)]`.
    pub production_lines: usize,
    /// Functions outside items marked `#[cfg(test)]`.
    pub functions: Vec<Function>,
    /// Names of modules, types and traits outside items marked `#[cfg(test)]`, with their lines.
    pub names: Vec<(String, usize)>,
    /// Names of structs, enums, traits and type aliases.
    pub types: BTreeSet<String>,
    test_lines: usize,
    owner: Option<String>,
}

/// Parses a file's text.
///
/// # Panics
/// When it is not Rust; the compiler would have said so first.
pub fn parse(path: &str, text: &str) -> RustSource {
    let file = syn::parse_file(text).unwrap_or_else(|e| panic!("{path} does not parse: {e}"));
    let mut source = RustSource::default();
    source.visit_file(&file);
    source.production_lines = text.lines().count().saturating_sub(source.test_lines);
    source
}

/// Places where a source silences a check, skips a test or is unfinished: line and what was written.
pub fn silencers(path: &str, text: &str) -> Vec<(usize, &'static str)> {
    let tokens: TokenStream = text.parse().unwrap_or_else(|e| panic!("{path} does not lex: {e}"));
    let mut found = Vec::new();
    collect_silencers(tokens, &mut found);
    found
}

/// The source's tokens as words, strings and comments left out: what a name search may look at.
pub fn code_words(path: &str, text: &str) -> Vec<(String, usize)> {
    let tokens: TokenStream = text.parse().unwrap_or_else(|e| panic!("{path} does not lex: {e}"));
    let mut found = Vec::new();
    collect_words(tokens, &mut found);
    found
}

fn collect_words(tokens: TokenStream, found: &mut Vec<(String, usize)>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => collect_words(group.stream(), found),
            TokenTree::Ident(ident) => found.push((ident.to_string(), ident.span().start().line)),
            TokenTree::Punct(punct) => found.push((punct.to_string(), punct.span().start().line)),
            TokenTree::Literal(_) => {}
        }
    }
}

fn collect_silencers(tokens: TokenStream, found: &mut Vec<(usize, &'static str)>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        let line = token.span().start().line;
        match token {
            TokenTree::Group(group) => {
                let attribute = group.delimiter() == Delimiter::Bracket
                    && tokens[..at].iter().rev().find(|t| !is_punct(t, '!')).is_some_and(|t| is_punct(t, '#'));
                if attribute {
                    found.extend(silencer_in_attribute(group.stream()).map(|what| (line, what)));
                }
                collect_silencers(group.stream(), found);
            }
            TokenTree::Ident(ident) if tokens.get(at + 1).is_some_and(|t| is_punct(t, '!')) => {
                for (name, what) in [("todo", "todo!"), ("unimplemented", "unimplemented!"), ("dbg", "dbg!")] {
                    if ident == name {
                        found.push((line, what));
                    }
                }
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

fn silencer_in_attribute(attribute: TokenStream) -> Option<&'static str> {
    let mut words = Vec::new();
    collect_words(attribute, &mut words);
    let words: Vec<&str> = words.iter().map(|(word, _)| word.as_str()).collect();
    match words.as_slice() {
        ["ignore", ..] => Some("#[ignore]"),
        ["allow", ..] => Some("#[allow]"),
        ["cfg_attr", rest @ ..] if rest.contains(&"allow") => Some("#[allow] inside cfg_attr"),
        ["cfg_attr", rest @ ..] if rest.contains(&"ignore") => Some("#[ignore] inside cfg_attr"),
        _ => None,
    }
}

fn is_punct(token: &TokenTree, sign: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == sign)
}

fn line_count(item: &impl Spanned) -> usize {
    let span = item.span();
    span.end().line + 1 - span.start().line
}

fn is_test_only(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let mut words = Vec::new();
        if let syn::Meta::List(list) = &attribute.meta {
            collect_words(list.tokens.clone(), &mut words);
        }
        attribute.path().is_ident("cfg") && words.first().is_some_and(|(word, _)| word == "test")
    })
}

fn attributes_of(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Const(item) => &item.attrs,
        syn::Item::Enum(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Static(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Trait(item) => &item.attrs,
        syn::Item::Type(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

impl RustSource {
    fn define_type(&mut self, ident: &syn::Ident) {
        self.types.insert(ident.to_string());
        self.define(ident);
    }

    fn define(&mut self, ident: &syn::Ident) {
        self.names.push((ident.to_string(), ident.span().start().line));
    }

    fn define_function(&mut self, signature: &syn::Signature, whole: &impl Spanned) {
        let receiver = |input: &&syn::FnArg| !matches!(input, syn::FnArg::Receiver(_));
        let start = signature.span().start().line;
        self.functions.push(Function {
            name: signature.ident.to_string(),
            owner: self.owner.clone(),
            line: start,
            lines: whole.span().end().line + 1 - start,
            parameters: signature.inputs.iter().filter(receiver).count(),
        });
    }
}

impl<'ast> Visit<'ast> for RustSource {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if is_test_only(attributes_of(item)) {
            self.test_lines += line_count(item);
            return;
        }
        match item {
            syn::Item::Struct(item) => self.define_type(&item.ident),
            syn::Item::Enum(item) => self.define_type(&item.ident),
            syn::Item::Trait(item) => self.define_type(&item.ident),
            syn::Item::Type(item) => self.define_type(&item.ident),
            syn::Item::Mod(item) => self.define(&item.ident),
            _ => {}
        }
        let outer = self.owner.clone();
        match item {
            syn::Item::Impl(item) => self.owner = type_name(&item.self_ty),
            syn::Item::Trait(item) => self.owner = Some(item.ident.to_string()),
            _ => {}
        }
        visit::visit_item(self, item);
        self.owner = outer;
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.define_function(&item.sig, item);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if is_test_only(&item.attrs) {
            self.test_lines += line_count(item);
            return;
        }
        self.define_function(&item.sig, item);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        self.define_function(&item.sig, item);
        visit::visit_trait_item_fn(self, item);
    }
}

fn type_name(ty: &syn::Type) -> Option<String> {
    match ty {
        syn::Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = "\
pub struct Lane;
impl Lane {
    pub fn step(&mut self, first: u8, second: u8) -> u8 {
        first + second
    }
}
pub trait Store { fn transact(&self); fn tasks(&self); }

#[cfg(test)]
mod tests {
    #[test]
    fn works() {}
}
";

    #[test]
    fn test_modules_are_not_production() {
        let source = parse("example", EXAMPLE);
        assert_eq!(source.production_lines, 8);
        assert!(source.functions.iter().all(|function| function.name != "works"));
    }

    #[test]
    fn functions_know_their_owner_length_and_parameters() {
        let source = parse("example", EXAMPLE);
        let step = source.functions.iter().find(|function| function.name == "step").expect("step is defined");
        assert_eq!((step.owner.as_deref(), step.lines, step.parameters), (Some("Lane"), 3, 2));
        let verbs = source.functions.iter().filter(|function| function.owner.as_deref() == Some("Store"));
        assert_eq!(verbs.count(), 2);
        assert!(source.types.contains("Store"));
    }

    #[test]
    fn silencers_are_found_in_code_but_not_in_text() {
        for (code, expected) in [
            ("#[allow(dead_code)] fn a() {}", vec!["#[allow]"]),
            ("#![allow(dead_code)]", vec!["#[allow]"]),
            ("#[cfg_attr(test, allow(dead_code))] fn a() {}", vec!["#[allow] inside cfg_attr"]),
            ("#[test] #[ignore = \"slow\"] fn a() {}", vec!["#[ignore]"]),
            ("fn a() { todo!() }", vec!["todo!"]),
            ("#[expect(dead_code, reason = \"x\")] fn a() {}", vec![]),
            ("/// #[allow(x)] and todo!()\nfn a() { let b = \"#[ignore]\"; }", vec![]),
            ("fn allow(x: &[u8]) { let c = [allow]; }", vec![]),
        ] {
            let found: Vec<&str> = silencers("example", code).into_iter().map(|(_, what)| what).collect();
            assert_eq!(found, expected, "{code}");
        }
    }
}
