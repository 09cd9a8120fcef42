/**
 * Saves what is written while it is written. One save at a time, 800 ms after
 * the last keystroke; a failed one is tried again by itself while the network
 * is the cause; a version changed elsewhere is never overwritten silently.
 * Kept in memory only: nothing clinical goes to the browser's storage.
 */
import { asProblem, type Problem } from '@/api/client';

/** Milliseconds. */
const pause = 800;
const slowAfter = 3_000;
const firstRetry = 2_000;
const lastRetry = 30_000;

export type SaveState =
  /** nothing to save */
  | { is: 'saved'; at: Date | null }
  /** typed, not sent yet */
  | { is: 'waiting' }
  /** on its way; slow after 3 s */
  | { is: 'saving'; slow: boolean }
  /** the network or the server failed, or the session ended: kept here, tried again by itself */
  | { is: 'kept'; problem: Problem }
  /** changed elsewhere: the person chooses */
  | { is: 'conflict'; problem: Problem }
  /** the server does not take this text: fields say why */
  | { is: 'refused'; problem: Problem };

export type Save<T> = (value: T, tag: string) => Promise<{ tag: string }>;

export class Autosave<T> {
  private tag: string;
  private value: T;
  private written = 0;
  private stored = 0;
  private current: SaveState = { is: 'saved', at: null };
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running: Promise<void> | undefined;
  private wait = firstRetry;
  private readonly listeners = new Set<() => void>();
  private readonly save: Save<T>;

  constructor(value: T, tag: string, save: Save<T>) {
    this.value = value;
    this.tag = tag;
    this.save = save;
  }

  readonly state = (): SaveState => this.current;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  };

  /** The person wrote. */
  write(value: T) {
    this.value = value;
    this.written++;
    if (this.current.is === 'conflict') return;
    if (!this.running) {
      if (this.current.is !== 'kept') this.become({ is: 'waiting' });
      this.plan(pause);
    }
  }

  /** Everything written is on the server when this resolves to true. */
  async flush(): Promise<boolean> {
    clearTimeout(this.timer);
    if (this.running) await this.running;
    if (this.current.is === 'conflict') return false;
    if (this.stored !== this.written) await this.send();
    return this.stored === this.written;
  }

  /** Is there anything that closing the page would lose? */
  pending(): boolean {
    return this.stored !== this.written;
  }

  /** Version that the server gave what is written here; what a signature names. */
  readonly version = (): string => this.tag;

  /** Somebody else's version was found by other means than a save. */
  meet(problem: Problem) {
    clearTimeout(this.timer);
    this.become({ is: 'conflict', problem });
  }

  /** After a conflict: keep what is written here, on top of the version `tag`. */
  async keepMine(tag: string): Promise<boolean> {
    this.tag = tag;
    this.written++;
    this.become({ is: 'waiting' });
    return this.flush();
  }

  /** After a conflict: take the other version. */
  takeOther(value: T, tag: string) {
    this.value = value;
    this.tag = tag;
    this.stored = this.written;
    this.become({ is: 'saved', at: null });
  }

  stop() {
    clearTimeout(this.timer);
  }

  /** The network is back: do not wait for the next try. */
  retryNow() {
    if (this.current.is === 'kept' && !this.running) void this.send();
  }

  private plan(ms: number) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.send(), ms);
  }

  private send(): Promise<void> {
    this.running ??= this.once().finally(() => {
      this.running = undefined;
      if (this.current.is === 'saved' && this.stored !== this.written) {
        this.become({ is: 'waiting' });
        this.plan(pause);
      }
    });
    return this.running;
  }

  private async once() {
    clearTimeout(this.timer);
    const upTo = this.written;
    this.become({ is: 'saving', slow: false });
    const slow = setTimeout(() => this.become({ is: 'saving', slow: true }), slowAfter);
    try {
      this.tag = (await this.save(this.value, this.tag)).tag;
      this.stored = upTo;
      this.wait = firstRetry;
      clearTimeout(slow);
      this.become({ is: 'saved', at: new Date() });
    } catch (cause) {
      clearTimeout(slow);
      this.failed(asProblem(cause));
    }
  }

  private failed(problem: Problem) {
    if (problem.status === 409 || problem.status === 412) return this.become({ is: 'conflict', problem });
    const again = problem.status === 401 || problem.status === 429;
    if (problem.status >= 400 && problem.status < 500 && !again) return this.become({ is: 'refused', problem });
    this.become({ is: 'kept', problem });
    this.plan(problem.retryAfter ? problem.retryAfter * 1000 : this.wait);
    this.wait = Math.min(this.wait * 2, lastRetry);
  }

  private become(state: SaveState) {
    this.current = state;
    for (const listener of this.listeners) listener();
  }
}
