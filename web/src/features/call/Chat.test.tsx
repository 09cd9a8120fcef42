// @vitest-environment jsdom
import type { Seat } from '@rtc/api';
import { act, cleanup, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { Suspense } from 'react';
import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import { Chat } from './Chat';

beforeAll(() => {
  Element.prototype.scrollTo = () => undefined;
});

afterEach(cleanup);

const seat = (id: string, part: Partial<Seat>): Seat => ({
  seat: id, name: id, role: 'patient', host: false, state: 'admitted', online: true, since: '2026-03-10T09:00:00Z', mic: true, camera: true, screen: false, link: 'up', ...part,
});

async function show(host: boolean, seats: Seat[], chatPending: { id: string; text: string; refused?: { code: string; seconds?: number } }[] = []) {
  const call = { say: vi.fn(() => true), sayAgain: vi.fn(), forgetMessage: vi.fn() };
  await act(async () =>
    render(
    <Suspense>
      <Chat snapshot={{ chat: [], chatPending, me: { seat: 'me', role: 'doctor', name: 'Dr', host, state: 'admitted' }, seats }} call={call} />
    </Suspense>,
  ));
  return call;
}

test('a host writes to the call, or to one person who waits or is on hold', async () => {
  const call = await show(true, [seat('me', { host: true }), seat('nurse', {}), seat('Léa', { held: true }), seat('Paul', { state: 'waiting' })]);
  const box = await screen.findByRole('textbox');
  await userEvent.type(box, 'un{Enter}');
  await userEvent.selectOptions(screen.getByRole('combobox'), 'Léa');
  await userEvent.type(box, 'deux{Enter}');
  expect(call.say.mock.calls).toEqual([
    ['un', undefined],
    ['deux', 'Léa'],
  ]);
  expect(screen.getAllByRole('option')).toHaveLength(3);
});

test('a guest, and a host with nobody apart, choose nobody', async () => {
  await show(false, [seat('me', {}), seat('nurse', {}), seat('Léa', { held: true })]);
  expect(screen.queryByRole('combobox')).toBeNull();
  cleanup();
  await show(true, [seat('me', { host: true }), seat('Léa', { state: 'waiting' })]);
  expect(screen.queryByRole('combobox')).toBeNull();
});

test('a refused message says why, and can be sent again or deleted', async () => {
  const call = await show(false, [], [{ id: 'a', text: 'vite', refused: { code: 'chat_too_fast', seconds: 12 } }]);
  expect((await screen.findByRole('alert')).textContent).toContain('12');
  const [again, forget] = screen.getAllByRole('button').slice(0, 2);
  await userEvent.click(again!);
  await userEvent.click(forget!);
  expect(call.sayAgain).toHaveBeenCalledWith('a');
  expect(call.forgetMessage).toHaveBeenCalledWith('a');
});
