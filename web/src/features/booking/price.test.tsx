// @vitest-environment jsdom
import { act, cleanup, render, screen } from '@testing-library/react';
import { Suspense } from 'react';
import { afterEach, expect, test } from 'vitest';
import type { Price } from '@/api/types';
import { LanguageContext, loadCatalogue } from '@/i18n/i18n';
import { PriceNote } from './PriceNote';
import { priceOf, shownOf } from './price';

const price: Price = {
  amountCents: 2500,
  reimbursedCents: 1550,
  remainingCents: 950,
  headline: 'adult',
  rateLabel: 'rate',
  explanation: 'adults',
  source: 'law',
  young: { underAge: 18, reimbursedCents: 1750, remainingCents: 750, headline: 'young', explanation: 'minors' },
};

afterEach(cleanup);

test.each([
  // born, start, what is left to pay, said to be of an adult
  [null, '2026-11-29T10:00:00Z', 950, true],
  ['2012-03-04', '2026-11-29T10:00:00Z', 750, false],
  ['2008-11-30', '2026-11-29T10:00:00Z', 750, false],
  // Half past midnight in Paris: the birthday has begun.
  ['2008-11-30', '2026-11-29T23:30:00Z', 950, false],
  ['2008-02-29', '2026-02-28T10:00:00Z', 750, false],
  ['2008-02-29', '2026-03-01T10:00:00Z', 950, false],
  // Not born yet: the field says so, and the price of an adult stays.
  ['2030-01-01', '2026-11-29T10:00:00Z', 950, false],
] as const)('born %s, act %s: %i cents', (born, start, left, adult) => {
  const mine = priceOf(price, born, start);
  expect([mine?.remainingCents, mine?.adult]).toEqual([left, adult]);
  expect(shownOf(mine)).toEqual({ priceShown: { amountCents: 2500, reimbursedCents: 2500 - left } });
});

test('no known price is a state of its own, and nothing is sent as shown', () => {
  expect(priceOf(undefined, '1980-01-01', '2026-11-29T10:00:00Z')).toBeNull();
  expect(shownOf(null)).toEqual({});
});

test.each([
  ['fr', undefined, null, 'Tarif communiqué par le cabinet'],
  ['en', undefined, null, 'The clinic will tell you the price'],
  ['fr', price, null, 'Pour un adulte : adult'],
  ['fr', price, '1980-01-01', 'adult'],
  ['fr', price, '2020-01-01', 'young'],
] as const)('the page says it in %s', async (language, of, born, want) => {
  await loadCatalogue(language, 'booking');
  await act(async () =>
    render(
      <LanguageContext.Provider value={{ language, setLanguage: () => undefined }}>
        <Suspense>
          <PriceNote price={of} born={born} start="2026-11-29T10:00:00Z" />
        </Suspense>
      </LanguageContext.Provider>,
    ),
  );
  expect(await screen.findByText(want)).toBeTruthy();
});
