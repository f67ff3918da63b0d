# Finds in C++ sources what compiles and then destroys an object twice, or too early:
#
#   awk -v gcc12=1 -v dirs=DIR:DIR -v depfile=FILE -v target=NAME -f check_coroutines.awk SOURCE...
#
# It reads the sources and what they include with "..." from their own folders or from `dirs`, names
# each fault as a compiler does, and fails if there is one. With gcc12=1 it looks for what GCC
# before 13 miscompiles: it copies such temporaries byte by byte into the coroutine's frame, and
# destroys both.
#
# It knows tokens, not types. So it splits the text into full expressions, and looks for pairs that
# must not meet in one.
BEGIN {
  for (argument = 1; argument < ARGC; ++argument) wanted[++wanted_count] = ARGV[argument]
  for (argument = 1; argument < ARGC; ++argument) seen[ARGV[argument]] = 1
  dir_count = split(dirs, dir, ":")
  for (next_file = 1; next_file <= wanted_count; ++next_file) check(wanted[next_file])
  if (depfile != "") {
    printf "%s:", escaped(target) > depfile
    for (each = 1; each <= wanted_count; ++each) printf " %s", escaped(wanted[each]) > depfile
    print "" > depfile
  }
  exit faults > 0
}

function escaped(path) {
  gsub(/ /, "\\ ", path)
  return path
}

function check(name) {
  file = name
  tokenize(name)
  walk()
}

# ---- From text to tokens: token[i], on line line_of[i]. Literals become 0, "" and ''.

function add_token(text) {
  token[++token_count] = text
  line_of[token_count] = line_number
}

function tokenize(name,    text, status) {
  token_count = 0
  line_number = 0
  in_comment = 0
  raw_end = ""
  continues = 0
  while ((status = (getline text < name)) > 0) {
    ++line_number
    if (continues || (!in_comment && raw_end == "" && text ~ /^[ \t]*#/)) {
      if (text ~ /^[ \t]*#[ \t]*include[ \t]*"/) want_header(name, text)
      continues = text ~ /\\$/
      continue
    }
    tokenize_line(text)
  }
  close(name)
}

function want_header(from, text,    header, folder, each, path) {
  sub(/^[^"]*"/, "", text)
  sub(/".*$/, "", text)
  folder = from
  if (!sub(/\/[^\/]*$/, "", folder)) folder = "."
  for (each = 0; each <= dir_count; ++each) {
    path = (each == 0 ? folder : dir[each]) "/" text
    if (path in seen) return
    if ((getline header < path) < 0) continue
    close(path)
    seen[path] = 1
    wanted[++wanted_count] = path
    return
  }
}

function tokenize_line(text,    at, quote, delimiter) {
  while (text != "") {
    if (in_comment) {
      at = index(text, "*/")
      if (at == 0) return
      text = substr(text, at + 2)
      in_comment = 0
    } else if (raw_end != "") {
      at = index(text, raw_end)
      if (at == 0) return
      text = substr(text, at + length(raw_end))
      raw_end = ""
      add_token("\"\"")
    } else if (match(text, /^[ \t\r\f]+/)) {
      text = substr(text, RLENGTH + 1)
    } else if (text ~ /^\/\//) {
      return
    } else if (text ~ /^\/\*/) {
      text = substr(text, 3)
      in_comment = 1
    } else if (match(text, /^(u8|u|U|L)?R"[^()\\ ]*\(/)) {
      delimiter = substr(text, 1, RLENGTH - 1)
      sub(/^[^"]*"/, "", delimiter)
      text = substr(text, RLENGTH + 1)
      raw_end = ")" delimiter "\""
    } else if (match(text, /^[0-9]['0-9a-zA-Z_.]*/)) {
      text = substr(text, RLENGTH + 1)
      add_token("0")
    } else if (match(text, /^[A-Za-z_][A-Za-z_0-9]*/)) {
      add_token(substr(text, 1, RLENGTH))
      text = substr(text, RLENGTH + 1)
    } else if (text ~ /^["']/) {
      quote = substr(text, 1, 1)
      text = after_literal(substr(text, 2), quote)
      add_token(quote quote)
    } else if (text ~ /^(::|->)/) {
      add_token(substr(text, 1, 2))
      text = substr(text, 3)
    } else {
      add_token(substr(text, 1, 1))
      text = substr(text, 2)
    }
  }
}

function after_literal(text, quote,    at, c) {
  for (at = 1; at <= length(text); ++at) {
    c = substr(text, at, 1)
    if (c == "\\") ++at
    else if (c == quote) break
  }
  return substr(text, at + 1)
}

# ---- From tokens to full expressions. A level is an open bracket; what a full expression holds is
# kept with the level on which it began. kind[level]: "body" (its expressions are their own),
# "condition" (of if, while, for, switch: an expression of its own), or "part" of the one around it.

function walk(    i, t, previous) {
  level = 0
  kind[0] = "body"
  begin_expression(0)
  for (i = 1; i <= token_count; ++i) {
    t = token[i]
    previous = i > 1 ? token[i - 1] : ";"
    if (t == "co_await") {
      if (!await_line[owner()]) await_line[owner()] = line_of[i]
      is_coroutine[body_of(level)] = 1
    } else if (t == "co_return" || t == "co_yield") {
      is_coroutine[body_of(level)] = 1
    } else if (t == "?") {
      if (!conditional_line[owner()] && !between_literals(i)) conditional_line[owner()] = line_of[i]
    } else if (t == ";") {
      end_expression(owner())
    } else if (t == "(") {
      open_level(previous ~ /^(if|while|for|switch|constexpr)$/ ? "condition" : "part")
    } else if (t == "[") {
      if (begins_lambda(i)) read_captures(i)
      open_level("part")
    } else if (t == "{") {
      open_brace(i, previous)
    } else if (t == ")" || t == "]" || t == "}") {
      close_level(i)
    }
  }
  end_expression(0)
}

function open_level(how) {
  ++level
  kind[level] = how
  is_lambda[level] = 0
  captures_at[level] = 0
  is_coroutine[level] = 0
  if (how != "part") begin_expression(level)
}

function close_level(i,    was_lambda, was_body) {
  if (level == 0) return
  if (kind[level] != "part") end_expression(level)
  was_body = kind[level] == "body"
  was_lambda = is_lambda[level]
  if (was_lambda && is_coroutine[level] && captures_at[level] && token[i + 1] == "(") {
    called_lambda_line[owner_of(level - 1)] = captures_at[level]
  }
  --level
  if (was_body && !was_lambda && kind[level] == "body") end_expression(level)
}

# The level whose full expression this one belongs to.
function owner_of(from) {
  while (from > 0 && kind[from] == "part") --from
  return from
}
function owner() { return owner_of(level) }

# The function whose body this is in: a lambda's or a named one's.
function body_of(from) {
  while (from > 0 && !is_lambda[from]) --from
  return from
}

function open_brace(i, previous,    lambda_at) {
  lambda_at = lambda_before(i)
  if (lambda_at) {
    open_level("body")
    is_lambda[level] = 1
    captures_at[level] = has_captures[lambda_at] ? line_of[lambda_at] : 0
    return
  }
  if (is_initializer(i, previous)) {
    if (!braced_line[owner()] && is_risky(i, previous)) braced_line[owner()] = line_of[i]
    open_level("part")
    return
  }
  end_expression(owner())
  open_level("body")
}

# Braces around values, not around statements or members.
function is_initializer(i, previous,    j) {
  if (previous ~ /^(\(|,|=|\{|return|co_return|co_await|co_yield|\?|:|\[|\])$/) {
    if (previous == "{" || previous == ":") return kind[level] == "part"
    return 1
  }
  if (kind[level] == "part") return previous != ")"
  if (previous !~ /^([A-Za-z_][A-Za-z_0-9]*|>)$/) return 0
  if (previous ~ /^(else|do|try|const|override|final|noexcept|mutable)$/) return 0
  # A class, a namespace, or a function with its type behind an arrow?
  for (j = i - 1; j > 0 && token[j] !~ /^[;{}]$/; --j) {
    if (token[j] ~ /^(class|struct|union|enum|namespace|extern|concept)$/) return 0
    if (token[j] == "->" && token[j - 1] ~ /^(\)|const|noexcept)$/) return 0
  }
  return 1
}

# An aggregate with members that have destructors, as far as one can see: types of std have
# constructors, and so, mostly, what is made of one value.
function is_risky(i, previous,    j, depth, commas) {
  if (previous ~ /^(\(|,|=|\{|return|co_return|co_await)$/) return 1
  if (token[i + 1] == "}" || token[i + 1] == ".") return !is_of_std(i)
  for (j = i + 1; j <= token_count; ++j) {
    if (token[j] ~ /^[({[]$/) ++depth
    if (token[j] ~ /^[])}]$/ && --depth < 0) break
    if (token[j] == "," && depth == 0) ++commas
  }
  return commas > 0 && !is_of_std(i)
}

function is_of_std(i,    j, depth) {
  for (j = i - 1; j > 0; --j) {
    if (token[j] == ">") ++depth
    else if (token[j] == "<") --depth
    else if (depth > 0) continue
    else if (token[j] == "std") return token[j + 1] == "::"
    else if (token[j] !~ /^(::|[A-Za-z_][A-Za-z_0-9]*)$/) return 0
  }
  return 0
}

function begins_lambda(i,    previous) {
  previous = token[i - 1]
  if (token[i + 1] == "[" || previous == "[" || previous == "]" || previous == ")") return 0
  if (previous ~ /^(return|co_return|co_await|co_yield)$/) return 1
  return previous !~ /^[A-Za-z_0-9">]/
}

# Of the lambda that begins here: whether it has captures, and in its expression, a copied one.
function read_captures(i,    j, depth, first) {
  has_captures[i] = 0
  first = 1
  for (j = i + 1; j <= token_count; ++j) {
    if (token[j] == "]" && depth == 0) break
    has_captures[i] = 1
    if (first && token[j] != "&" && token[j] != "this" && !copied_line[owner()]) {
      copied_line[owner()] = line_of[i]
    }
    first = token[j] == "," && depth == 0
    if (token[j] ~ /^[({[]$/) ++depth
    if (token[j] ~ /^[])}]$/) --depth
  }
}

# Where the lambda begins whose body is in these braces; 0 if it is no lambda's.
function lambda_before(i,    j, depth, steps) {
  depth = 0
  for (j = i - 1; j > 0; --j) {
    if (token[j] ~ /^[])}>]$/ && token[j] != "}") ++depth
    else if (token[j] ~ /^[(<]$/ || (token[j] == "[" && depth > 0)) --depth
    if (depth < 0) return 0
    if (depth > 0) continue
    if (token[j] == "[") return begins_lambda(j) ? j : 0
    if (token[j] ~ /^[;{},=?]$/) return 0
  }
  return 0
}

# "c ? 1 : 2": what has no destructor does no harm.
function between_literals(i) {
  return token[i + 1] ~ /^(0|""|''|true|false|nullptr)$/ && token[i + 2] == ":" && \
         token[i + 3] ~ /^(0|""|''|true|false|nullptr)$/
}

function begin_expression(at) {
  await_line[at] = conditional_line[at] = braced_line[at] = copied_line[at] = 0
  called_lambda_line[at] = 0
}

function end_expression(at) {
  if (called_lambda_line[at] && !await_line[at]) {
    fault(called_lambda_line[at], "this lambda ends before its coroutine, which uses what it has " \
          "captured. Give spawn the lambda itself, without calling it, or write a named function.")
  }
  if (gcc12 && await_line[at]) {
    if (conditional_line[at]) {
      fault(conditional_line[at], "GCC before 13 destroys a value twice if '?:' and co_await are " \
            "in one expression. Write an if, or give the value of one of them a name first.")
    }
    if (braced_line[at]) {
      fault(braced_line[at], "GCC before 13 destroys a value twice if it is made with braces in " \
            "one expression with co_await. Give it a name first.")
    }
    if (copied_line[at]) {
      fault(copied_line[at], "GCC before 13 destroys what a lambda has captured twice if it is " \
            "made in one expression with co_await. Give the lambda a name first.")
    }
  }
  begin_expression(at)
}

function fault(line, sentence) {
  printf "%s:%d: error: %s\n", file, line, sentence > "/dev/stderr"
  ++faults
}
