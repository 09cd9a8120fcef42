// @vitest-environment jsdom
// A browser lets no page be heard before it is touched.
import { act, cleanup, fireEvent, render, screen, waitFor } from '@testing-library/react';
import { afterEach, expect, test, vi } from 'vitest';
import { useRefusedSound } from './refused';
import { Sound } from './Stream';

const stream = { id: 'voice' } as unknown as MediaStream;
const wake = vi.fn(() => Promise.resolve());

function Call() {
  const { refused, refuse, resume } = useRefusedSound(wake);
  return (
    <>
      <button>another</button>
      {refused && <button onClick={resume}>again</button>}
      <Sound stream={stream} onRefused={refuse} />
    </>
  );
}

afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

test.each([
  ['the button', () => fireEvent.click(screen.getByText('again'))],
  ['a tap elsewhere', () => fireEvent.click(screen.getByText('another'))],
  ['a key', () => fireEvent.keyDown(document.body, { key: 'Tab' })],
])('sound that was refused comes with %s', async (_, gesture) => {
  const play = vi.spyOn(HTMLMediaElement.prototype, 'play').mockRejectedValue(new DOMException('', 'NotAllowedError'));
  render(<Call />);
  await screen.findByText('again');
  await act(async () => {}); // what listens for gestures comes after the button
  // Not every key counts as a gesture.
  fireEvent.keyDown(document.body, { key: 'Escape' });
  await waitFor(() => expect(play).toHaveBeenCalledTimes(2));
  await screen.findByText('again');
  await act(async () => {});
  play.mockResolvedValue();
  gesture();
  await waitFor(() => expect(screen.queryByText('again')).toBeNull());
  const asked = play.mock.calls.length;
  fireEvent.click(screen.getByText('another'));
  expect(play).toHaveBeenCalledTimes(asked);
});
