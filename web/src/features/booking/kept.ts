/**
 * What a person has typed and proven of a booking, kept in this tab over a reload and a
 * change of app; gone when the tab closes or the booking is made. Never on the server.
 */
import { emptyDeclared, type DeclaredForm } from './DeclaredSection';
import { emptyForm, type BookingForm } from './form';

/** An attempt to prove a telephone or a mailbox: its secret goes with the code, then with the booking. */
export type Proof = {
  attempt: string;
  proven: boolean;
  channel: 'sms' | 'email';
  hint: string;
  /** A code left for this attempt; otherwise the one that left at sentAt is still good. */
  sent: boolean;
  sentAt: string;
  /** When another code may be asked for (ui/Again). */
  againFrom: number;
};
export type Kept = { practitionerId: string; form: BookingForm; declared: DeclaredForm; proof: Proof | null; key: string; keyFor: string };

const place = 'visavis.booking';

export function keepBooking(kept: Kept | null): void {
  try {
    if (kept) sessionStorage.setItem(place, JSON.stringify(kept));
    else sessionStorage.removeItem(place);
  } catch {
    // Storage may be switched off: the page works without it, a reload then begins again.
  }
}

/** What was kept for this professional. */
export function keptBooking(practitionerId: string): Kept | null {
  try {
    const kept = JSON.parse(sessionStorage.getItem(place) ?? 'null') as Kept | null;
    if (!kept || kept.practitionerId !== practitionerId) return null;
    return { ...kept, form: { ...emptyForm, ...kept.form }, declared: { ...emptyDeclared, ...kept.declared } };
  } catch {
    return null;
  }
}
