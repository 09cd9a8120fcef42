import { useRef, useState } from 'react';
import type { PrescriptionLine } from '@/api/types';
import { sent } from './lines';

/**
 * One name per line for as long as it lives, so that a form keeps its focus when another line goes, and so that what the server
 * said of a line is shown on that line alone: it names a line by its place among those of the last answer.
 */
export class LineNames {
  private names: number[] = [];
  private last = 0;
  private readonly ofLine = new WeakMap<PrescriptionLine, number>();
  private about: readonly (number | undefined)[] = [];

  constructor(lines: readonly PrescriptionLine[]) {
    this.write(lines);
    this.answered(lines);
  }

  /** The lines as they are written now: those at the end without a name are new. */
  write(lines: readonly PrescriptionLine[]): void {
    this.names.length = Math.min(this.names.length, lines.length);
    while (this.names.length < lines.length) this.names.push(this.last++);
    lines.forEach((l, i) => this.ofLine.set(l, this.names[i]!));
  }

  /** Call it before the lines without this one are written. */
  remove(index: number): void {
    this.names.splice(index, 1);
  }

  of(index: number): number {
    return this.names[index]!;
  }

  /** The server has answered to these lines. */
  answered(lines: readonly PrescriptionLine[]): void {
    this.about = sent(lines).map((l) => this.ofLine.get(l));
  }

  /** The places of the last answer, also of lines that went since: what it said of those is shown nowhere. */
  places(): number[] {
    return this.about.map((_, i) => i);
  }

  /** Place of a line in the last answer; -1 when that answer is not about it. */
  place(index: number): number {
    return this.about.indexOf(this.names[index]);
  }
}

export function useLineNames(lines: readonly PrescriptionLine[]): { named: LineNames; place: (index: number) => number } {
  const [named] = useState(() => new LineNames(lines));
  const seen = useRef(lines);
  if (seen.current !== lines) {
    seen.current = lines;
    named.write(lines);
  }
  return { named, place: (index) => named.place(index) };
}
