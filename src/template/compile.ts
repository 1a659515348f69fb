import { findPieces, type Piece, type Token } from "./tokens.js";

/**
 * Makes statements of TypeScript of a template, which put what it becomes into the variable `text`, with its variables in `v`: so that one of our own
 * needs no minijinja to be rendered. Of Jinja it may have expressions with nothing but a name, `for` over a list, with `loop.last`, and `if` of a
 * name, with `not` or one comparison.
 * @throws Error for anything else
 */
export function compileTemplate(source: string): readonly string[] {
  const pieces = findPieces(source);
  const writer = new StatementWriter();
  let at = 0;
  for (const piece of pieces) {
    writer.text(trimmed(source, at, piece.start));
    if (piece.kind === "expression") writer.value(new Expression(piece.tokens, writer.loops).all());
    else writer.tag(piece);
    at = piece.end;
  }
  writer.text(trimmed(source, at, source.length));
  return writer.end();
}

/** Text between two pieces, which may take the white space on their side of it with them. */
function trimmed(source: string, from: number, to: number): string {
  const text = source.slice(from, to);
  const start = /-[%}]\}$/.test(source.slice(0, from)) ? text.trimStart() : text;
  return /^\{[{%]-/.test(source.slice(to)) ? start.trimEnd() : start;
}

/** A loop around what is written: the name of its variable, the list, and whether it has to count. */
type Loop = { readonly name: string; readonly list: string; counts: boolean };

class StatementWriter {
  readonly #lines: string[] = ['let text = "";'];
  /** What is open, and the index of the line that it began with. */
  readonly #open: { readonly kind: "for" | "if" | "else"; readonly at: number }[] = [];
  readonly #loops: Loop[] = [];
  /** A line of the text, as far as it has come: what stands in it, and expressions. */
  #line: { readonly text?: string; readonly expression?: string }[] = [];

  get loops(): readonly Loop[] {
    return this.#loops;
  }

  text(text: string): void {
    if (/\{[{%#]/.test(text)) throw new Error("comments, raw blocks, and what is not closed cannot be compiled");
    for (const part of text.split(/(?<=\n)/)) {
      if (part !== "") this.#line.push({ text: part });
      if (part.endsWith("\n")) this.#flush();
    }
  }

  value(expression: string): void {
    this.#line.push({ expression });
  }

  tag({ tokens }: Piece): void {
    this.#flush();
    const [first, ...rest] = tokens;
    const expression = new Expression(rest, this.#loops);
    const word = first?.text;
    if (word === "for") this.#for(rest);
    else if (word === "if") this.#begin("if", `if (${expression.condition()}) {`);
    else if (word === "else" && rest.length === 0) this.#otherwise();
    else if (word === "endfor" && rest.length === 0) this.#close("for");
    else if (word === "endif" && rest.length === 0) this.#close("if");
    else throw new Error(`the tag ${word} cannot be compiled`);
  }

  end(): readonly string[] {
    this.#flush();
    if (this.#open.length > 0) throw new Error(`${this.#open.at(-1)?.kind} has no end`);
    return [...this.#lines, "return text;"];
  }

  #for([name, word, ...list]: readonly Token[]): void {
    if (name?.kind !== "name" || word?.text !== "in") throw new Error("for has one name");
    const over = new Expression(list, this.#loops).all();
    this.#loops.push({ name: name.text, list: over, counts: false });
    this.#begin("for", "");
  }

  #begin(kind: "for" | "if", line: string): void {
    this.#open.push({ kind, at: this.#lines.push(line) - 1 });
  }

  #otherwise(): void {
    if (this.#open.pop()?.kind !== "if") throw new Error("else belongs to no if");
    this.#open.push({ kind: "else", at: this.#lines.push("} else {") - 1 });
  }

  #close(kind: "for" | "if"): void {
    const open = this.#open.pop();
    if (open?.kind !== kind && !(kind === "if" && open?.kind === "else")) throw new Error(`end${kind} ends nothing`);
    const loop = kind === "for" ? this.#loops.pop() : undefined;
    if (loop) {
      const each = loop.counts ? `[${loop.name}Index, ${loop.name}] of ${loop.list}.entries()` : `${loop.name} of ${loop.list}`;
      this.#lines[open.at] = `for (const ${each}) {`;
    }
    this.#lines.push("}");
  }

  #flush(): void {
    const parts = this.#line.splice(0);
    if (parts.length === 0) return;
    const literal = parts.some(({ expression }) => expression !== undefined)
      ? `\`${parts.map(({ text, expression }) => (text === undefined ? `\${${expression}}` : inLiteral(text))).join("")}\``
      : JSON.stringify(parts.map(({ text }) => text).join(""));
    this.#lines.push(`text += ${literal};`);
  }
}

/** A text as it stands in a template literal. */
function inLiteral(text: string): string {
  return text
    .replace(/[\\`]|\$\{/g, "\\$&")
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r");
}

/** The tokens of an expression as TypeScript. */
class Expression {
  readonly #tokens: readonly Token[];
  readonly #loops: readonly Loop[];

  constructor(tokens: readonly Token[], loops: readonly Loop[]) {
    this.#tokens = tokens;
    this.#loops = loops;
  }

  /** All of it, if it is the name of a variable, or of a part of one. */
  all(): string {
    return this.#name(this.#tokens);
  }

  condition(): string {
    const [first, ...rest] = this.#tokens;
    if (first?.text === "not") return `!${new Expression(rest, this.#loops).#truth()}`;
    const operator = this.#tokens.findIndex(({ text }) => text === ">=" || text === "==");
    if (operator < 0) return this.#truth();
    const [left, [literal, ...more]] = [this.#tokens.slice(0, operator), this.#tokens.slice(operator + 1)];
    const isLiteral = literal?.kind === "string" || (literal?.kind === "number" && /^\d+$/.test(literal.text));
    if (!isLiteral || more.length > 0) throw new Error("a comparison is with a literal");
    return `${this.#name(left)} ${this.#tokens[operator]?.text === "==" ? "===" : ">="} ${literal?.text}`;
  }

  #truth(): string {
    const name = this.all();
    return this.#isOfLoop() ? `(${name})` : `isTrue(${name})`;
  }

  #isOfLoop(): boolean {
    return this.#tokens[0]?.text === "loop";
  }

  #name(tokens: readonly Token[]): string {
    const texts = tokens.map(({ text }) => text);
    if (!/^[a-z_]+( \. [a-z_]+)*$/.test(texts.join(" "))) throw new Error(`${texts.join(" ")} cannot be compiled`);
    const [first = "", ...parts] = texts;
    if (first === "loop") return this.#isLast(parts.join(""));
    return (this.#loops.some(({ name }) => name === first) ? first : `v.${first}`) + parts.join("");
  }

  #isLast(part: string): string {
    const loop = this.#loops.at(-1);
    if (!loop || part !== ".last") throw new Error("of a loop there is only loop.last");
    loop.counts = true;
    return `${loop.name}Index === ${loop.list}.length - 1`;
  }
}
