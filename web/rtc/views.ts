// How high each picture is shown, told to the server so that nobody sends what nobody looks at (docs/signaling.md §6.3).

import type { Slot, Source } from './wire';

/** Sizes move while a window is dragged: told when they rest, in ms. */
const rest = 300;
const highest = 8192;

export interface ViewEvents {
  slots: () => readonly Slot[];
  tell: (slots: { mid: string; height: number }[]) => void;
}

export class Views {
  private readonly heights = new Map<string, number>();
  private timer: ReturnType<typeof setTimeout> | null = null;
  private told = '';

  constructor(private readonly on: ViewEvents) {}

  /** Height in device pixels; 0: not shown; null: nothing is known any more. */
  set(seat: string, source: Source, height: number | null) {
    const key = `${seat}/${source}`;
    if (height === null) this.heights.delete(key);
    else this.heights.set(key, Math.min(highest, Math.max(0, Math.round(height))));
    this.soon();
  }

  /** The slots changed, the page went to the background or came back. */
  soon() {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.tell();
    }, rest);
  }

  /** A new connection knows nothing of it. */
  forget() {
    this.told = '';
    this.soon();
  }

  private tell() {
    const hidden = globalThis.document?.hidden === true;
    const slots = this.on.slots().flatMap((s) => {
      if (s.kind !== 'video') return [];
      const height = hidden ? 0 : this.heights.get(`${s.seat}/${s.source}`);
      return height === undefined ? [] : [{ mid: s.mid, height }];
    });
    const now = JSON.stringify(slots);
    if (now === this.told || (slots.length === 0 && this.told === '')) return;
    this.told = now;
    this.on.tell(slots.slice(0, 16));
  }

  dispose() {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
  }
}
