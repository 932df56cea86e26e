//! The document as a page: made on the server, nothing loaded from elsewhere, readable on a phone.

use std::fmt::Write as _;

use serde_json::Value;

const STYLE: &str = "\
:root{color-scheme:light dark;--line:#8884;--soft:#8881;--ink:#0b6e4f}\
*{box-sizing:border-box}\
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem}\
code{font:.9em ui-monospace,monospace;overflow-wrap:anywhere}\
nav a{display:inline-block;margin:0 .75rem .25rem 0}\
details{border:1px solid var(--line);border-radius:.5rem;margin:.5rem 0;padding:.5rem .75rem}\
summary{cursor:pointer}summary:focus-visible{outline:2px solid var(--ink)}\
.method{display:inline-block;min-width:5rem;font-weight:700;color:var(--ink)}\
table{border-collapse:collapse;width:100%;margin:.5rem 0}\
td,th{border-top:1px solid var(--line);padding:.3rem .5rem .3rem 0;text-align:left;vertical-align:top}\
@media(prefers-color-scheme:dark){:root{--ink:#5fd3a8}}";

/// The whole page.
pub(super) fn render(document: &Value) -> String {
    let mut out = String::with_capacity(128 * 1_024);
    let _ = write!(
        out,
        "<!doctype html><html lang=en><head><meta charset=utf-8>\
         <meta name=viewport content='width=device-width,initial-scale=1'><title>Liventix API</title>\
         <style>{STYLE}</style></head><body><main><h1>Liventix API</h1><p>{}</p>\
         <p>For programs: <a href=/openapi.json>openapi.json</a></p><nav aria-label='Parts'>",
        markdown(text(&document["info"]["description"]))
    );
    let tags = list(&document["tags"]);
    for tag in tags {
        let name = text(&tag["name"]);
        let _ = write!(out, "<a href='#{0}'>{0}</a>", escape(name));
    }
    out.push_str("<a href='#types'>types</a></nav>");
    for tag in tags {
        section(&mut out, document, tag);
    }
    types(&mut out, document);
    out.push_str("</main></body></html>");
    out
}

fn section(out: &mut String, document: &Value, tag: &Value) {
    let name = text(&tag["name"]);
    let _ = write!(
        out,
        "<section><h2 id='{0}'>{0}</h2><p>{1}</p>",
        escape(name),
        markdown(text(&tag["description"]))
    );
    for (path, item) in entries(&document["paths"]) {
        for (method, operation) in entries(item) {
            if list(&operation["tags"]).iter().any(|tag| text(tag) == name) {
                one(out, path, method, operation);
            }
        }
    }
    out.push_str("</section>");
}

fn one(out: &mut String, path: &str, method: &str, operation: &Value) {
    let _ = write!(
        out,
        "<details><summary><span class=method>{}</span><code>{}</code><br>{}</summary><p>{}</p>",
        method.to_uppercase(),
        escape(path),
        markdown(text(&operation["summary"])),
        markdown(text(&operation["description"]))
    );
    let needs: Vec<String> = list(&operation["security"])
        .iter()
        .flat_map(|security| entries(security).map(|(name, _)| format!("<code>{}</code>", escape(name))))
        .collect();
    if !needs.is_empty() {
        let _ = write!(out, "<p>Token: {}</p>", needs.join(" or "));
    }
    out.push_str("<table>");
    for parameter in list(&operation["parameters"]) {
        let _ = write!(
            out,
            "<tr><td><code>{}</code> ({})<td>{}",
            escape(text(&parameter["name"])),
            escape(text(&parameter["in"])),
            markdown(text(&parameter["description"]))
        );
    }
    for (kind, content) in entries(&operation["requestBody"]["content"]) {
        let _ = write!(out, "<tr><td>body<td><code>{}</code> {}", escape(kind), schema(&content["schema"]));
    }
    for (status, response) in entries(&operation["responses"]) {
        let _ = write!(out, "<tr><td>{}<td>{}", escape(status), markdown(text(&response["description"])));
        for (_, content) in entries(&response["content"]) {
            let _ = write!(out, " {}", schema(&content["schema"]));
        }
    }
    out.push_str("</table></details>");
}

fn types(out: &mut String, document: &Value) {
    out.push_str("<section><h2 id=types>types</h2>");
    for (name, value) in entries(&document["components"]["schemas"]) {
        let _ = write!(
            out,
            "<details id='{0}'><summary><code>{0}</code></summary><p>{1}</p><table>",
            escape(name),
            markdown(text(&value["description"]))
        );
        let parts = std::iter::once(value).chain(list(&value["allOf"]));
        for included in list(&value["allOf"]).iter().filter(|part| part.get("$ref").is_some()) {
            let _ = write!(out, "<tr><td>all of<td>{}", schema(included));
        }
        for (field, property) in parts.flat_map(|part| entries(&part["properties"])) {
            let _ = write!(
                out,
                "<tr><td><code>{}</code><td>{} {}",
                escape(field),
                schema(property),
                markdown(text(&property["description"]))
            );
        }
        let values: Vec<String> = list(&value["enum"])
            .iter()
            .map(|value| format!("<code>{}</code>", escape(text(value))))
            .collect();
        let _ = write!(out, "</table><p>{}</p></details>", values.join(" · "));
    }
    out.push_str("</section>");
}

/// A type in one line, with links to those it names.
fn schema(value: &Value) -> String {
    if let Some(name) = value["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return format!("<a href='#{0}'><code>{0}</code></a>", escape(name));
    }
    for many in ["oneOf", "allOf", "anyOf"] {
        if !list(&value[many]).is_empty() {
            return list(&value[many]).iter().map(schema).collect::<Vec<_>>().join(" or ");
        }
    }
    match &value["type"] {
        Value::String(name) if name == "array" => format!("list of {}", schema(&value["items"])),
        Value::String(name) => escape(name),
        Value::Array(names) => names.iter().map(|name| escape(text(name))).collect::<Vec<_>>().join(" or "),
        _ => String::new(),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('\'', "&#39;")
        .replace('"', "&quot;")
}

/// The little of Markdown that descriptions use: `code`.
fn markdown(text: &str) -> String {
    let mut out = String::new();
    for (place, part) in text.split('`').enumerate() {
        let part = escape(part);
        if place % 2 == 1 {
            let _ = write!(out, "<code>{part}</code>");
        } else {
            out.push_str(&part);
        }
    }
    out
}
