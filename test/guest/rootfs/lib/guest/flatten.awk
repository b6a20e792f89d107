# Prints each leaf of a JSON document as PATH<TAB>VALUE: {"a": {"b": ["x"]}} gives .a.b.0<TAB>x
{ text = text $0 " " }
END { position = 1; value("") }

function peek() {
  while (substr(text, position, 1) == " " || substr(text, position, 1) == "\t") position++
  return substr(text, position, 1)
}

function string(    out, c) {
  position++
  while ((c = substr(text, position, 1)) != "\"" && c != "") {
    if (c == "\\") {
      position++
      c = substr(text, position, 1)
      if (c ~ /[nrt]/) c = " "
    }
    out = out c
    position++
  }
  position++
  return out
}

function value(path,    c, i, key) {
  c = peek()
  if (c == "\"") print path "\t" string()
  else if (c == "{" || c == "[") {
    position++
    for (i = 0; peek() !~ /[]}]/ && peek() != ""; i++) {
      key = i
      if (c == "{") {
        key = string()
        peek()
        position++
      }
      value(path "." key)
      if (peek() == ",") position++
    }
    position++
  } else {
    key = ""
    while ((c = substr(text, position, 1)) != "" && c !~ /[],} \t]/) {
      key = key c
      position++
    }
    # Anything else is no JSON: nothing after it can be read.
    if (key == "") exit
    print path "\t" key
  }
}
