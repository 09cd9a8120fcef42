// @vitest-environment jsdom
import { act, render, screen } from '@testing-library/react';
import { expect, test, vi } from 'vitest';
import { Announcer, useAnnounce } from './Announcer';

function Two() {
  const announce = useAnnounce();
  return (
    <button
      type="button"
      onClick={() => {
        announce('Zoé est là');
        announce('Inès est là');
      }}
    >
      Enter
    </button>
  );
}

test('two sentences at once are both said, and go away', () => {
  vi.useFakeTimers();
  render(
    <Announcer>
      <Two />
    </Announcer>,
  );
  act(() => screen.getByText('Enter').click());
  const lines = () => Array.from(screen.getByRole('status').children, (e) => e.textContent);
  expect(lines()).toEqual(['Zoé est là', 'Inès est là']);
  act(() => void vi.advanceTimersByTime(10_000));
  expect(lines()).toEqual([]);
  vi.useRealTimers();
});
