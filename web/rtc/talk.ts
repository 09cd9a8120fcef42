// Written messages: what was said, what waits to be taken, and nothing twice.

import { merged } from './page';
import type { ChatMessage, ClientBody } from './wire';

const maxText = 2000;

export interface Written {
  id: string;
  text: string;
}

export class Talk {
  chat: readonly ChatMessage[] = [];
  /** Written here and not yet taken by the server. */
  pending: readonly Written[] = [];
  private number = 0;

  constructor(
    private readonly send: (body: ClientBody) => void,
    private readonly changed: () => void,
  ) {}

  /** False when there is nothing to say, or too much of it. */
  say(text: string): boolean {
    if (text.trim() === '' || [...text].length > maxText) return false;
    this.number += 1;
    const message = { id: `${Date.now().toString(36)}-${this.number}`, text };
    this.send({ t: 'chat', ...message });
    this.pending = [...this.pending, message];
    this.changed();
    return true;
  }

  /** A new session: what the old one did not take is said again under the same id. */
  again() {
    for (const p of this.pending) this.send({ t: 'chat', ...p });
  }

  history(messages: readonly ChatMessage[]) {
    this.chat = merged(messages, this.chat);
    this.changed();
  }

  said(m: ChatMessage, me: string | undefined) {
    const { id, from, name, role, at, text } = m;
    this.chat = merged(this.chat, [{ id, from, name, role, at, text }]);
    if (from === me) this.pending = this.pending.filter((p) => p.id !== id);
    this.changed();
  }
}
