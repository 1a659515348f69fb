import { isIP } from "node:net";

/** Where to ask for the address that this host has in the internet: `urls` answer with it as plain text. */
export type AddressCheck = { readonly urls: readonly string[]; readonly timeoutSeconds: number };

/** Longer than any address: what is more than this is another page. */
const maxAnswer = 256;

/** This host's address, as the first of the servers that answers properly sees it. Each costs at most the time-out. */
export async function findPublicAddress({ urls, timeoutSeconds }: AddressCheck): Promise<string | undefined> {
  for (const url of urls) {
    const address = addressIn(await ask(url, timeLimit(timeoutSeconds)));
    if (address !== undefined) return address;
  }
  return undefined;
}

/** The metadata service of Amazon's EC2, at a link-local address (docs.aws.amazon.com: "Use IMDSv2"). */
const amazonMetadata = "http://169.254.169.254";

/** What an instance of EC2 knows of itself; undefined: this is none. */
export type AmazonInstance = { readonly publicAddress: string | undefined };

/**
 * Asks for a session token, which only Amazon's service gives (others at this address have version 1), then for the address.
 * Both together cost at most the time-out.
 */
export async function findAmazonInstance(timeoutSeconds: number, base: string = amazonMetadata): Promise<AmazonInstance | undefined> {
  const signal = timeLimit(timeoutSeconds);
  const seconds = { "X-aws-ec2-metadata-token-ttl-seconds": "60" };
  const token = await ask(`${base}/latest/api/token`, signal, { method: "PUT", headers: seconds });
  if (token === undefined || !/^[!-~]+$/.test(token)) return undefined;
  const headers = { "X-aws-ec2-metadata-token": token };
  return { publicAddress: addressIn(await ask(`${base}/latest/meta-data/public-ipv4`, signal, { headers })) };
}

/** The time-out of connection, headers and body together. A wrong configuration is refused elsewhere. */
function timeLimit(seconds: number): AbortSignal {
  return AbortSignal.timeout(Math.round(seconds * 1000));
}

function addressIn(answer: string | undefined): string | undefined {
  return answer !== undefined && isIP(answer) !== 0 ? answer : undefined;
}

/** The text that a URL answers with, or undefined: no answer in time, an error, or more than an address. */
async function ask(url: string, signal: AbortSignal, request: RequestInit = {}): Promise<string | undefined> {
  try {
    // The first use of fetch loads Node's HTTP client; until then it costs nothing.
    const response = await fetch(url, { ...request, signal });
    const text = await readShort(response);
    return response.ok ? text?.trim() : undefined;
  } catch {
    return undefined;
  }
}

async function readShort(response: Response): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    length += chunk.length;
    // To leave the loop cancels the rest of the answer.
    if (length > maxAnswer) return undefined;
  }
  return Buffer.concat(chunks).toString("latin1");
}
