/** The French catalogues define the keys; a test holds the English ones to the same. */
import type { DeskCatalogues } from './deskCatalogues';
import type app from './fr/app.json';
import type problems from './fr/problems.json';
import type booking from './fr/booking.json';
import type link from './fr/link.json';
import type verify from './fr/verify.json';
import type documents from './fr/documents.json';
import type join from './fr/join.json';
import type consent from './fr/consent.json';
import type diagnostics from './fr/diagnostics.json';
import type waiting from './fr/waiting.json';
import type call from './fr/call.json';
import type chat from './fr/chat.json';
import type representative from './fr/representative.json';
import type proof from './fr/proof.json';
import type companion from './fr/companion.json';
import type still from './fr/still.json';
import type pro from './fr/pro.json';

export type Catalogues = DeskCatalogues & {
  app: typeof app;
  problems: typeof problems;
  booking: typeof booking;
  link: typeof link;
  verify: typeof verify;
  documents: typeof documents;
  join: typeof join;
  consent: typeof consent;
  diagnostics: typeof diagnostics;
  waiting: typeof waiting;
  call: typeof call;
  companion: typeof companion;
  chat: typeof chat;
  representative: typeof representative;
  pro: typeof pro;
  proof: typeof proof;
  still: typeof still;
};
