import { isReference, nameEnd } from "./references.js";
import { closingBracket, findPieces, indexOfToken, type Piece, type Token } from "./tokens.js";

/** An attribute that nothing has: to read it from what is undefined is an error, as it should be without it. */
const undefinedMark = "nspawn_undefined";

/**
 * Makes each variable that a template reads an error if it is undefined. In strict mode minijinja takes it for empty, false or none as an
 * operand, an argument, or an item of a list, where Jinja's StrictUndefined would not, or would only when it is looked at. Left alone is
 * what `default` or `is defined` asks about.
 */
export function guardVariables(source: string): string {
  let from = 0;
  const parts: string[] = [];
  for (const piece of findPieces(source)) {
    const [first] = piece.tokens;
    if (!first) continue;
    parts.push(source.slice(from, first.start), new Guard(source, piece).text(0, piece.tokens.length));
    from = piece.tokens.at(-1)?.end ?? from;
  }
  return parts.join("") + source.slice(from);
}

/** A part of a guarded source as it was written. */
export function withoutGuards(text: string): string {
  const guard = new RegExp(`\\((.+?) if .+ is defined else \\1\\.${undefinedMark}\\)`, "gs");
  return (text.length > longestShown ? text : text.replace(guard, "$1")).replace(`.${undefinedMark}`, "");
}

/** Of longer expressions messages show nothing anyway. */
const longestShown = 1000;

/** From one token to before another. */
type Range = { readonly from: number; readonly to: number };

const keywords = new Set("if elif else is in not and or true false none True False None".split(" "));

class Guard {
  readonly #source: string;
  readonly #kind: Piece["kind"];
  readonly #tokens: readonly Token[];
  readonly #read: readonly Range[];

  constructor(source: string, { kind, tokens }: Piece) {
    this.#source = source;
    this.#kind = kind;
    this.#tokens = tokens;
    this.#read = kind === "tag" ? readRanges(tokens) : [{ from: 0, to: tokens.length }];
  }

  /** The source of some tokens, with guards. */
  text(from: number, to: number): string {
    let at = this.#tokens[from]?.start ?? 0;
    let text = "";
    for (let index = from; index < to; index++) {
      const first = this.#tokens[index];
      if (!first || !this.#isVariable(index)) continue;
      const end = this.#pathEnd(index);
      text += this.#source.slice(at, first.start) + this.#variable(index, end);
      at = this.#tokens[end - 1]?.end ?? at;
      index = end - 1;
    }
    return text + this.#source.slice(at, this.#tokens[to - 1]?.end ?? at);
  }

  /** A variable with its attributes and items, such as `a.b[c].d`. */
  #variable(index: number, end: number): string {
    const inner = (this.#tokens[index]?.text ?? "") + (end > index + 1 ? this.#between(index, end) : "");
    // What is called, or is all of an expression, is an error by itself.
    const isAlone = this.#kind === "expression" && index === 0 && end === this.#tokens.length;
    if (this.#word(end) === "(" || isAlone || this.#mayBeUndefined(index, end)) return inner;
    // No line more than there is.
    const path = this.#source.slice(this.#tokens[index]?.start, this.#tokens[end - 1]?.end).replace(/\s*\n\s*/g, " ");
    return `(${path} if ${inner} is defined else ${path}.${undefinedMark})`;
  }

  /** What follows a variable's name, with the space before it. */
  #between(index: number, end: number): string {
    return this.#source.slice(this.#tokens[index]?.end, this.#tokens[index + 1]?.start) + this.text(index + 1, end);
  }

  #word(index: number): string {
    return this.#tokens[index]?.text ?? "";
  }

  /** Not the name of an attribute, a filter, a test, a keyword or an argument, nor one that is defined here. */
  #isVariable(index: number): boolean {
    const [beforeThat, before, word, after] = [-2, -1, 0, 1].map((offset) => this.#word(index + offset)) as [
      string,
      string,
      string,
      string,
    ];
    if (this.#tokens[index]?.kind !== "name" || keywords.has(word) || !this.#read.some(({ from, to }) => from <= index && index < to))
      return false;
    return ![".", "|", "is"].includes(before) && !(before === "not" && beforeThat === "is") && after !== "=";
  }

  /** The index behind the attributes and items of the variable at an index. */
  #pathEnd(index: number): number {
    let end = index + 1;
    for (;;) {
      if (this.#word(end) === "." && this.#tokens[end + 1]?.kind === "name") end += 2;
      else if (this.#word(end) === "[") end = closingBracket(this.#tokens, end) + 1;
      else return end;
    }
  }

  /** Whether `default`, `is defined` or `is undefined` asks about a variable, also about one in parentheses. */
  #mayBeUndefined(index: number, end: number): boolean {
    let [before, after] = [index - 1, end];
    while (this.#word(before) === "(" && this.#word(after) === ")" && !this.#isCall(before)) {
      before--;
      after++;
    }
    // Of x|default(y)|default(z), y may be undefined, too.
    const isFallback = this.#isDefault(before - 2) && this.#word(before) === "(" && [")", ","].includes(this.#word(after));
    if (isFallback) after = closingBracket(this.#tokens, before) + 1;
    const test = this.#word(after + 1) === "not" ? after + 2 : after + 1;
    return this.#isDefault(after) || (this.#word(after) === "is" && ["defined", "undefined"].includes(this.#word(test)));
  }

  #isDefault(index: number): boolean {
    return this.#word(index) === "|" && ["default", "d"].includes(this.#word(index + 1));
  }

  /** Whether a parenthesis has arguments in it. */
  #isCall(index: number): boolean {
    const before = this.#tokens[index - 1];
    const isKeyword = before?.kind === "name" && (keywords.has(before.text) || (this.#kind === "tag" && index === 1));
    return before !== undefined && !isKeyword && (before.kind === "name" || [")", "]"].includes(before.text));
  }
}

/** The tokens of a tag that may be variables which it reads: not its keywords, and not what it defines. */
function readRanges(tokens: readonly Token[]): readonly Range[] {
  const keyword = tokens[0]?.text ?? "";
  const to = tokens.length;
  if (isReference(keyword)) return [{ from: 1, to: nameEnd(tokens) }];
  switch (keyword) {
    case "if":
    case "elif":
    case "do":
    case "autoescape":
      return [{ from: 1, to }];
    case "for":
      return [{ from: indexOfToken(tokens, "in", 1) + 1, to: tokens.at(-1)?.text === "recursive" ? to - 1 : to }];
    case "set": {
      const assigned = indexOfToken(tokens, "=", 1);
      // Without a value, it may have filters behind its name.
      return [{ from: assigned < to ? assigned + 1 : 2, to }];
    }
    case "filter":
      return [{ from: 2, to }];
    case "with":
      return valueRanges(tokens, 1, to, 0);
    case "macro":
      return valueRanges(tokens, 2, to, 1);
    case "call": {
      const parameters = tokens[1]?.text === "(" ? closingBracket(tokens, 1) : 0;
      return [...valueRanges(tokens, 1, parameters, 1), { from: parameters + 1, to }];
    }
    default:
      return [];
  }
}

/** The values of `name = value, …`. */
function valueRanges(tokens: readonly Token[], from: number, to: number, depth: number): readonly Range[] {
  const assigned = indexOfToken(tokens, "=", from, depth);
  if (assigned >= to) return [];
  const end = Math.min(to, indexOfToken(tokens, ",", assigned, depth));
  return [{ from: assigned + 1, to: end }, ...valueRanges(tokens, end, to, depth)];
}
