// Signalling: ticket, hello, numbers, acks, resume, back-off. Knows nothing of media.

import type { SocketState } from './api';
import { backOff } from './state';
import { Close, type ClientBody, type Kept, type ServerMessage } from './wire';

/** What a socket needs of the world; tests give their own. */
export interface SocketWorld {
  open: (url: string) => WebSocket;
  random: () => number;
}

export interface SocketEvents {
  message: (m: ServerMessage) => void;
  state: (s: SocketState) => void;
  /** No more by itself: close code and, for a refused ticket, the HTTP status. */
  ended: (why: { code?: number; status?: number }) => void;
  /** The connection that a new session may go on with. */
  kept: () => Kept | undefined;
}

type Sent = { seq: number; body: ClientBody; text: string };

/** Said again in a new session when the old one did not take it: twice does no harm. */
const harmless = new Set(['admit', 'remove', 'end']);

const pingEvery = 10_000;
const deadAfter = 15_000;
const ackAfter = 400;
const ackAtOnce = 32;
/** How long a socket may take to open, ms: a network that was away makes the system wait longer than that between its tries. */
const opensWithin = 5000;
/** How long one beside another has to take its place, and one that resumes to be answered, ms. */
const resumesWithin = 3000;

export class Socket {
  private ws: WebSocket | null = null;
  /** One that shall take the place of `ws`, which answers nothing. */
  private next: WebSocket | null = null;
  private session: string | null = null;
  private last = 0;
  private acked = 0;
  private seq = 0;
  private out: Sent[] = [];
  private attempt = 0;
  private tickets = 0;
  private live = false;
  private stopped = true;
  private heard = 0;
  private timers = new Set<ReturnType<typeof setTimeout>>();
  private ackTimer: ReturnType<typeof setTimeout> | null = null;
  private asking: AbortController | null = null;

  constructor(
    private readonly admit: (signal: AbortSignal) => Promise<{ ticket: string; url: string }>,
    private readonly tab: string,
    private readonly on: SocketEvents,
    private readonly world: SocketWorld,
  ) {}

  private url = '';

  /** The session now; null before the first. */
  get current(): string | null {
    return this.session;
  }

  /** What is said now arrives, as far as is known. */
  get sound(): boolean {
    return this.live && !this.next;
  }

  start() {
    if (!this.stopped) return;
    this.stopped = false;
    globalThis.addEventListener?.('pagehide', this.bye);
    this.attempt = 0;
    this.tickets = 0;
    void this.connect();
  }

  /** Says that the page closes: what ends now is no lost connection. The seat keeps its place. */
  private readonly bye = () => {
    if (this.live) this.ws?.send('{"t":"bye"}');
  };

  /** Ends by our own will: the seat keeps its place. */
  stop() {
    this.bye();
    globalThis.removeEventListener?.('pagehide', this.bye);
    this.stopped = true;
    this.session = null;
    this.drop();
    this.asking?.abort();
    this.on.state('closed');
  }

  /** Sends now or after resume. Gives the number; 0 when there is no session yet. */
  send(body: ClientBody): number {
    if (!this.session || this.stopped) return 0;
    this.seq += 1;
    const text = JSON.stringify({ ...body, seq: this.seq });
    this.out.push({ seq: this.seq, body, text });
    if (this.live) this.ws?.send(text);
    return this.seq;
  }

  takeOver() {
    this.ws?.send(JSON.stringify({ t: 'takeover' }));
  }

  /** The network changed, the page woke up or media fell silent: find out now whether the socket lives. */
  check(within = 3000) {
    if (this.stopped) return;
    if (this.ws && this.live) {
      const before = this.heard;
      this.ws.send('{"t":"ping"}');
      this.after(within, () => {
        if (this.heard === before) this.beside();
      });
    } else if (!this.ws && !this.asking) {
      this.clear();
      void this.connect();
    }
  }

  private async connect() {
    this.on.state(this.session || this.attempt > 0 ? 'reconnecting' : 'connecting');
    let first: string;
    if (this.session) {
      first = JSON.stringify({ t: 'resume', session: this.session, last: this.last });
    } else {
      const asking = (this.asking = new AbortController());
      try {
        const { ticket, url } = await this.admit(asking.signal);
        if (this.stopped || asking.signal.aborted) return;
        this.url = url;
        first = JSON.stringify({ t: 'hello', ticket, tab: this.tab, client: 'web/1', features: [], kept: this.on.kept() });
      } catch (cause) {
        if (this.stopped) return;
        const status = statusOf(cause);
        if (status === 401 || status === 403 || status === 404 || status === 410) this.end({ status });
        else this.again();
        return;
      } finally {
        if (this.asking === asking) this.asking = null;
      }
    }
    const ws = this.world.open(this.url);
    this.use(ws);
    ws.onopen = () => this.begins(ws, first);
    this.after(opensWithin, () => {
      if (this.ws === ws && ws.onopen) this.lost();
    });
  }

  /** The socket answers nothing. It may only be slow: it stays until another one stands, which then goes on with its session. */
  private beside() {
    if (this.next || !this.live) return;
    const next = (this.next = this.world.open(this.url));
    const before = this.heard;
    const settle = (opened: boolean) => {
      if (this.next !== next) return;
      if (this.heard !== before) return this.forget();
      if (!opened) return this.lost();
      this.next = null;
      this.drop();
      this.use(next);
      this.begins(next, JSON.stringify({ t: 'resume', session: this.session, last: this.last }));
    };
    next.onopen = () => settle(true);
    next.onclose = () => settle(false);
    this.after(resumesWithin, () => settle(false));
  }

  private forget() {
    const { next } = this;
    this.next = null;
    shut(next);
  }

  private begins(ws: WebSocket, first: string) {
    ws.onopen = null;
    ws.send(first);
    this.heard += 1;
    this.watch(ws);
    if (this.session) {
      this.after(resumesWithin, () => {
        if (this.ws === ws && !this.live) this.lost();
      });
    }
  }

  private use(ws: WebSocket) {
    this.ws = ws;
    ws.onmessage = (e) => {
      if (this.ws === ws && typeof e.data === 'string') this.take(e.data);
    };
    ws.onclose = (e) => {
      if (this.ws === ws) this.closed(e.code);
    };
  }

  private watch(ws: WebSocket) {
    let heard = this.heard;
    let quiet = 0;
    const step = 5000;
    let sincePing = 0;
    const look = () => {
      if (this.ws !== ws) return;
      quiet = this.heard === heard ? quiet + step : 0;
      heard = this.heard;
      if (quiet >= deadAfter) return this.lost();
      sincePing += step;
      if (sincePing >= pingEvery && this.live) {
        sincePing = 0;
        ws.send('{"t":"ping"}');
      }
      this.after(step, look);
    };
    this.after(step, look);
  }

  private take(text: string) {
    this.heard += 1;
    const m = JSON.parse(text) as ServerMessage;
    if (m.t === 'welcome') this.begin(m.session);
    if (m.ack) this.out = this.out.filter((f) => f.seq > (m.ack ?? 0));
    if (m.seq !== undefined) {
      if (m.seq <= this.last) return;
      this.last = m.seq;
      this.ackSoon();
    }
    if (m.t === 'resumed') this.resumed();
    if (m.t === 'error' && m.code === 'throttled') this.after(1000, () => this.sendAgain());
    if (m.t !== 'ack' && m.t !== 'pong' && m.t !== 'resumed') this.on.message(m);
  }

  private begin(session: string) {
    const missed = this.out.filter((f) => harmless.has(f.body.t));
    this.session = session;
    this.last = this.acked = this.seq = 0;
    this.out = [];
    this.ready();
    for (const f of missed) this.send(f.body);
  }

  private resumed() {
    this.sendAgain();
    this.ready();
  }

  private ready() {
    this.live = true;
    this.attempt = 0;
    this.tickets = 0;
    this.on.state('open');
  }

  private sendAgain() {
    for (const f of this.out) this.ws?.send(f.text);
  }

  private ackSoon() {
    const send = () => {
      this.ackTimer = null;
      if (this.acked === this.last || !this.live) return;
      this.acked = this.last;
      this.ws?.send(JSON.stringify({ t: 'ack', ack: this.last }));
    };
    if (this.last - this.acked >= ackAtOnce) send();
    else this.ackTimer ??= setTimeout(send, ackAfter);
  }

  private lost() {
    this.drop();
    this.again();
  }

  private closed(code: number) {
    this.drop();
    if (this.stopped) return;
    switch (code) {
      case Close.left:
      case Close.policy:
      case Close.tooBig:
      case Close.takenOver:
      case Close.ended:
      case Close.removed:
        return this.end({ code });
      case Close.ticket:
        this.session = null;
        this.tickets += 1;
        if (this.tickets > 2) return this.end({ code });
        break;
      case Close.noHello:
      case Close.resumeExpired:
        this.session = null;
        break;
      case Close.flood:
        this.attempt = Math.max(this.attempt, 5);
        break;
    }
    this.again();
  }

  private again() {
    if (this.stopped) return;
    this.on.state('reconnecting');
    const wait = backOff(this.attempt, this.world.random());
    this.attempt += 1;
    this.after(wait, () => void this.connect());
  }

  private end(why: { code?: number; status?: number }) {
    globalThis.removeEventListener?.('pagehide', this.bye);
    this.stopped = true;
    this.session = null;
    this.drop();
    this.on.state('closed');
    this.on.ended(why);
  }

  private drop() {
    const ws = this.ws;
    this.ws = null;
    this.live = false;
    this.clear();
    shut(ws);
    this.forget();
  }

  private after(ms: number, f: () => void) {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      f();
    }, ms);
    this.timers.add(timer);
  }

  private clear() {
    for (const t of this.timers) clearTimeout(t);
    this.timers.clear();
    if (this.ackTimer) clearTimeout(this.ackTimer);
    this.ackTimer = null;
  }
}

function shut(ws: WebSocket | null) {
  if (!ws) return;
  ws.onopen = ws.onmessage = ws.onclose = null;
  try {
    ws.close();
  } catch {
    // it never opened
  }
}

function statusOf(cause: unknown): number | undefined {
  const status = (cause as { status?: unknown } | null)?.status;
  return typeof status === 'number' ? status : undefined;
}
