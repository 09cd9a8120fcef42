/** The drafts open in the file: all are saved before a signature, and each is shown its own refusal. */
import { createContext, useContext, useEffect, useSyncExternalStore } from 'react';
import type { Problem } from '@/api/client';

type Flush = () => Promise<boolean>;
type Open = { flush: Flush; tag: (() => string) | undefined };

export class Drafts {
  private readonly open = new Map<string, Open>();
  private problems: Readonly<Record<string, Problem>> = {};
  private readonly listeners = new Set<() => void>();

  readonly subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  };

  readonly snapshot = () => this.problems;

  /** `tag` gives the version of what is on the screen, once it is saved. */
  add(key: string, flush: Flush, tag?: () => string): () => void {
    const editor = { flush, tag };
    this.open.set(key, editor);
    return () => {
      if (this.open.get(key) === editor) this.open.delete(key);
    };
  }

  /** The version on the screen: what is signed. Undefined when no editor shows that draft. */
  tag(key: string): string | undefined {
    return this.open.get(key)?.tag?.();
  }

  /** True when everything typed in every draft is on the server. */
  async flushAll(): Promise<boolean> {
    const done = await Promise.all([...this.open.values()].map((editor) => editor.flush()));
    return done.every(Boolean);
  }

  refuse(problems: Readonly<Record<string, Problem>>) {
    this.problems = problems;
    for (const listener of this.listeners) listener();
  }

  /** The person corrects: the refusal of that draft has been read. */
  corrected(key: string) {
    if (!this.problems[key]) return;
    const { [key]: _, ...rest } = this.problems;
    this.refuse(rest);
  }
}

export const DraftsContext = createContext<Drafts | null>(null);

export function useDrafts(): Drafts {
  const drafts = useContext(DraftsContext);
  if (!drafts) throw new Error('no drafts around');
  return drafts;
}

/** Puts one editor among the drafts and gives the refusal of its last signature, if any. */
export function useDraft(key: string, flush: Flush, tag?: () => string): Problem | undefined {
  const drafts = useDrafts();
  useEffect(() => drafts.add(key, flush, tag), [drafts, key, flush, tag]);
  return useSyncExternalStore(drafts.subscribe, drafts.snapshot)[key];
}
