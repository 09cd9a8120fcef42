/** The price of one patient on the day of an act, from what the server says of a professional. */
import type { BookingRequest, Price } from '@/api/types';
import { ageOn } from '@/features/desk/day';
import { clinicZone, dayOf } from '@/i18n/time';

export type PriceOf = {
  amountCents: number;
  reimbursedCents: number;
  remainingCents: number;
  headline: string;
  explanation: string;
  /** The birth date is not known yet: these are the sums of an adult. */
  adult: boolean;
};

/** `born` is YYYY-MM-DD, null when it is not known; `start` is the instant of the act. Null when no price is known. */
export function priceOf(price: Price | undefined, born: string | null, start: string): PriceOf | null {
  if (!price) return null;
  const { amountCents, young } = price;
  const day = dayOf(start, clinicZone);
  const mine = young && born !== null && born <= day && ageOn(born, day) < young.underAge ? young : price;
  return {
    amountCents,
    reimbursedCents: mine.reimbursedCents,
    remainingCents: mine.remainingCents,
    headline: mine.headline,
    explanation: mine.explanation,
    adult: young !== undefined && born === null,
  };
}

/** What a request says that the person saw: two sums, or nothing when no price is known. */
export function shownOf(price: PriceOf | null): Pick<BookingRequest, 'priceShown'> {
  return price ? { priceShown: { amountCents: price.amountCents, reimbursedCents: price.reimbursedCents } } : {};
}
