/** A part of a tag or an expression: a string, a number, a name, an operator of two characters, or any other character. */
export type Token = {
  readonly kind: "string" | "number" | "name" | "other";
  readonly text: string;
  /** Where it stands in the template's source. */
  readonly start: number;
  readonly end: number;
  /** How many brackets it stands in; a bracket itself is outside of its pair. */
  readonly depth: number;
};

/** A tag, `{% … %}`, or an expression, `{{ … }}`: where it stands, and the tokens between its delimiters. */
export type Piece = {
  readonly kind: "tag" | "expression";
  readonly start: number;
  readonly end: number;
  readonly tokens: readonly Token[];
};

/** The tags and expressions of a template, in their order, up to one that is not closed; comments and raw blocks have none. */
export function findPieces(source: string): readonly Piece[] {
  const opening = /(\{#[\s\S]*?#\}|\{%[-+]?\s*raw\s*[-+]?%\}[\s\S]*?\{%[-+]?\s*endraw\s*[-+]?%\})|(\{[%{])[-+]?/g;
  const pieces: Piece[] = [];
  for (let match = opening.exec(source); match; match = opening.exec(source)) {
    if (match[1] !== undefined) continue;
    const piece = readPiece(source, match[2] === "{%" ? "tag" : "expression", match.index, opening.lastIndex);
    // What is not closed is a syntax error to minijinja.
    if (!piece) break;
    pieces.push(piece);
    opening.lastIndex = piece.end;
  }
  return pieces;
}

/** The index of the first token with a text from an index on, in as many brackets; the number of tokens if there is none. */
export function indexOfToken(tokens: readonly Token[], text: string, from: number, depth = 0): number {
  const index = tokens.findIndex((token, at) => at >= from && token.text === text && token.depth === depth);
  return index < 0 ? tokens.length : index;
}

/** The index of the bracket that closes the one at an index. */
export function closingBracket(tokens: readonly Token[], index: number): number {
  const close = tokens.findIndex(({ depth }, at) => at > index && depth === tokens[index]?.depth);
  return close < 0 ? tokens.length - 1 : close;
}

function readPiece(source: string, kind: Piece["kind"], start: number, from: number): Piece | undefined {
  const closing = kind === "tag" ? /\s*[-+]?%\}/y : /\s*[-+]?\}\}/y;
  const pattern = new RegExp(anyToken, "uy");
  const tokens: Token[] = [];
  let depth = 0;
  for (let at = from; ; at = tokens.at(-1)?.end ?? at) {
    closing.lastIndex = at;
    // As in minijinja, delimiters in brackets are none: {{ {"a": {}} }}.
    if (depth === 0 && closing.test(source)) return { kind, start, end: closing.lastIndex, tokens };
    const token = readToken(source, pattern, at, depth);
    if (!token) return undefined;
    tokens.push(token);
    depth = opens(token) ? depth + 1 : token.depth;
  }
}

const string = /"(?:\\[\s\S]|[^"\\])*"|'(?:\\[\s\S]|[^'\\])*'/;
const number = /\d[\w.]*/;
const name = /[\p{L}_][\p{L}\p{N}_]*/u;
const anyToken = `\\s*(?:(?<string>${string.source})|(?<number>${number.source})|(?<name>${name.source})|(?<other>[=!<>]=|\\S))`;

/** The next token; `depth` is that of what is before it. */
function readToken(source: string, pattern: RegExp, from: number, depth: number): Token | undefined {
  pattern.lastIndex = from;
  const groups = pattern.exec(source)?.groups;
  for (const kind of ["string", "number", "name", "other"] as const) {
    const text = groups?.[kind];
    if (text === undefined) continue;
    const end = pattern.lastIndex;
    return { kind, text, start: end - text.length, end, depth: /^[)\]}]$/.test(text) ? Math.max(0, depth - 1) : depth };
  }
  return undefined;
}

function opens({ text }: Token): boolean {
  return text === "(" || text === "[" || text === "{";
}
