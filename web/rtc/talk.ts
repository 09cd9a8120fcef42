// Written messages: what was said, what waits to be taken, and nothing twice.

import { merged } from './page';
import type { PendingMessage } from './api';
import type { ChatMessage, ClientBody } from './wire';

const maxText = 2000;

export class Talk {
  chat: readonly ChatMessage[] = [];
  /** Written here and not yet taken by the server. */
  pending: readonly PendingMessage[] = [];
  private number = 0;

  constructor(
    private readonly send: (body: ClientBody) => void,
    private readonly changed: () => void,
  ) {}

  /** False when there is nothing to say, or too much of it. */
  say(text: string, to?: string): boolean {
    if (text.trim() === '' || [...text].length > maxText) return false;
    this.number += 1;
    const message = { id: `${Date.now().toString(36)}-${this.number}`, text, ...(to ? { to } : {}) };
    this.send({ t: 'chat', ...message });
    this.pending = [...this.pending, message];
    this.changed();
    return true;
  }

  /** The server did not keep a message: it stays here, with the reason. */
  refuse(id: string, code: string, seconds?: number) {
    this.pending = this.pending.map((p) => (p.id === id ? { ...p, refused: { code, ...(seconds ? { seconds } : {}) } } : p));
    this.changed();
  }

  retry(id: string) {
    this.pending = this.pending.map(({ refused, ...p }) => {
      if (p.id !== id) return refused ? { ...p, refused } : p;
      this.send({ t: 'chat', ...p });
      return p;
    });
    this.changed();
  }

  forget(id: string) {
    this.pending = this.pending.filter((p) => p.id !== id);
    this.changed();
  }

  /** A new session: what the old one did not take is said again under the same id. */
  again() {
    for (const { refused, ...p } of this.pending) if (!refused) this.send({ t: 'chat', ...p });
  }

  history(messages: readonly ChatMessage[]) {
    this.chat = merged(messages, this.chat);
    this.changed();
  }

  said(m: ChatMessage, me: string | undefined) {
    const { id, from, name, role, at, text, to, toName } = m;
    this.chat = merged(this.chat, [{ id, from, name, role, at, text, ...(to ? { to } : {}), ...(toName ? { toName } : {}) }]);
    if (from === me) this.pending = this.pending.filter((p) => p.id !== id);
    this.changed();
  }
}
