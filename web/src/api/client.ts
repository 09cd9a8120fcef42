/**
 * The one way to talk to the server. Same-origin, JSON, the language of the
 * page; every failure is a Problem (RFC 9457, or one of the codes made here
 * for a network that does not answer: `offline`, `slow`, `unreachable`).
 */
import type { Language } from '@/i18n/i18n';

export type ProblemField = { name: string; code: string; detail?: string };

export class Problem extends Error {
  readonly code: string;
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly fields: ProblemField[];
  /** Reference to give to support; also in the server's log. */
  readonly ref: string | undefined;
  /** Seconds to wait, when the server said so. */
  readonly retryAfter: number | undefined;
  /** The rest of the problem document, such as `remaining` or `at`. */
  readonly extra: Record<string, unknown>;

  constructor(body: Record<string, unknown>, status: number, retryAfter?: number) {
    const code = typeof body.code === 'string' ? body.code : codeOfStatus(status);
    super(code);
    this.name = 'Problem';
    this.code = code;
    this.status = status;
    this.title = typeof body.title === 'string' ? body.title : '';
    this.detail = typeof body.detail === 'string' ? body.detail : '';
    this.fields = Array.isArray(body.fields) ? (body.fields as ProblemField[]) : [];
    this.ref = typeof body.ref === 'string' ? body.ref : undefined;
    this.retryAfter = retryAfter;
    this.extra = body;
  }

  field(name: string): ProblemField | undefined {
    return this.fields.find((f) => f.name === name || f.name.endsWith(`.${name}`));
  }
}

function codeOfStatus(status: number): string {
  if (status === 401) return 'unauthenticated';
  if (status === 403) return 'forbidden';
  if (status === 404) return 'not-found';
  if (status === 409) return 'conflict';
  if (status === 410) return 'gone';
  if (status === 413) return 'too-large';
  if (status === 429) return 'throttled';
  if (status === 502 || status === 503 || status === 504) return 'unavailable';
  return status >= 500 ? 'internal' : 'invalid';
}

/** Everything that is not a Problem already is a fault of ours. */
export function asProblem(cause: unknown): Problem {
  return cause instanceof Problem ? cause : new Problem({ code: 'page-fault' }, 0);
}

/** How long one answer may take, in milliseconds. */
const patience = 20_000;

export type Options = {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  body?: unknown;
  /** UUID kept by the caller over retries of one intention (creating requests). */
  idempotencyKey?: string;
  /** Version or ETag seen by the person who edits. */
  ifMatch?: string | number;
  signal?: AbortSignal;
};

let language: Language = 'fr';

/** Language in which the server words its problems; set by the app when it changes. */
export function speak(chosen: Language) {
  language = chosen;
}

/** That language, for what is not sent by this file. */
export const spoken = (): Language => language;

/** Answer of the server with the ETag that a later edit sends back. */
export async function requestWithTag<T>(path: string, options: Options = {}): Promise<{ data: T; etag: string | undefined }> {
  const headers: Record<string, string> = { Accept: 'application/json', 'Accept-Language': language };
  if (options.body !== undefined) headers['Content-Type'] = 'application/json';
  if (options.idempotencyKey) headers['Idempotency-Key'] = options.idempotencyKey;
  if (options.ifMatch !== undefined) headers['If-Match'] = quoted(options.ifMatch);
  const limit = AbortSignal.timeout(patience);
  const init: RequestInit = {
    method: options.method ?? 'GET',
    headers,
    credentials: 'same-origin',
    cache: 'no-store',
    signal: options.signal ? anySignal([options.signal, limit]) : limit,
  };
  if (options.body !== undefined) init.body = JSON.stringify(options.body);
  let response: Response;
  try {
    response = await fetch(`/api${path}`, init);
  } catch (cause) {
    if (options.signal?.aborted) throw cause;
    throw new Problem({ code: limit.aborted ? 'slow' : navigator.onLine === false ? 'offline' : 'unreachable' }, 0);
  }
  if (!response.ok) throw await problemOf(response);
  const etag = response.headers.get('ETag') ?? undefined;
  if (response.status === 204) return { data: undefined as T, etag };
  const text = await response.text();
  try {
    return { data: (text === '' ? undefined : JSON.parse(text)) as T, etag };
  } catch {
    throw new Problem({ code: 'unreadable-answer' }, response.status);
  }
}

export async function request<T>(path: string, options: Options = {}): Promise<T> {
  return (await requestWithTag<T>(path, options)).data;
}

async function problemOf(response: Response): Promise<Problem> {
  const wait = Number(response.headers.get('Retry-After'));
  const retryAfter = Number.isFinite(wait) && wait > 0 ? wait : undefined;
  try {
    return new Problem((await response.json()) as Record<string, unknown>, response.status, retryAfter);
  } catch {
    return new Problem({}, response.status, retryAfter);
  }
}

function quoted(tag: string | number): string {
  const text = String(tag);
  return text.startsWith('"') || text.startsWith('W/') ? text : `"${text}"`;
}

function anySignal(signals: AbortSignal[]): AbortSignal {
  const either = new AbortController();
  for (const signal of signals) {
    if (signal.aborted) either.abort(signal.reason);
    else signal.addEventListener('abort', () => either.abort(signal.reason), { once: true });
  }
  return either.signal;
}

/** A fresh key for one intention: made when the form opens, kept over its retries. */
export function newIntention(): string {
  return crypto.randomUUID();
}
