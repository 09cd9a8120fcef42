// @vitest-environment jsdom
import { act, cleanup, fireEvent, render, screen } from '@testing-library/react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { AgainButton, againFrom } from './Again';

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

test('the button does nothing before its time, says how long, keeps the focus, and then works', () => {
  const pressed = vi.fn();
  render(
    <AgainButton from={againFrom(12)} waits={(s) => `in ${s} s`} onPress={pressed}>
      Again
    </AgainButton>,
  );
  const button = screen.getByRole('button', { name: 'Again' });
  button.focus();
  fireEvent.click(button);
  expect(pressed).not.toHaveBeenCalled();
  expect(button.getAttribute('aria-disabled')).toBe('true');
  expect(document.getElementById(button.getAttribute('aria-describedby') ?? '')?.textContent).toBe('in 12 s');
  act(() => vi.advanceTimersByTime(5000));
  expect(screen.getByText('in 7 s')).toBeTruthy();
  act(() => vi.advanceTimersByTime(7000));
  expect(screen.queryByText(/in \d+ s/)).toBeNull();
  expect(document.activeElement).toBe(button);
  fireEvent.click(button);
  expect(pressed).toHaveBeenCalledTimes(1);
});

test('another answer starts another wait', () => {
  const { rerender } = render(
    <AgainButton from={againFrom(0)} waits={(s) => `in ${s} s`} onPress={() => undefined}>
      Again
    </AgainButton>,
  );
  expect(screen.queryByText(/in \d/)).toBeNull();
  act(() => vi.advanceTimersByTime(30_000));
  rerender(
    <AgainButton from={againFrom(60)} waits={(s) => `in ${s} s`} onPress={() => undefined}>
      Again
    </AgainButton>,
  );
  expect(screen.getByText('in 60 s')).toBeTruthy();
});
