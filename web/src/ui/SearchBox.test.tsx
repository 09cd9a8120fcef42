// @vitest-environment jsdom
import { cleanup, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import { SearchBox } from './SearchBox';

const items = [
  { id: '1', title: 'Zoé' },
  { id: '2', title: 'Inès' },
];

beforeAll(() => {
  Element.prototype.scrollIntoView = () => undefined;
});

afterEach(cleanup);

function Box({ onChoose, found = items }: { onChoose: (id: string) => void; found?: typeof items }) {
  const [text, setText] = useState('');
  return <SearchBox label="Who" value={text} onChange={setText} items={found} onChoose={onChoose} empty="Nobody" found="Some" autoFocus />;
}

test('arrows go round the list, Enter chooses once, the field keeps the focus', async () => {
  const chosen = vi.fn();
  render(<Box onChoose={chosen} />);
  const box = screen.getByRole('combobox', { name: 'Who' });
  await userEvent.keyboard('x{ArrowDown}');
  expect(screen.queryByRole('listbox')).toBeNull();
  await userEvent.keyboard('y{ArrowDown}{ArrowDown}{ArrowDown}');
  expect(box.getAttribute('aria-activedescendant')).toBe(screen.getByRole('option', { selected: true }).id);
  expect(screen.getByRole('option', { selected: true }).textContent).toBe('Zoé');
  await userEvent.keyboard('{ArrowUp}{Enter}');
  expect(chosen.mock.calls).toEqual([['2']]);
  expect(screen.queryByRole('listbox')).toBeNull();
  expect(document.activeElement).toBe(box);
});

test('Escape closes the list only, and says so when nobody is found', async () => {
  const outer = vi.fn();
  const { rerender } = render(<div onKeyDown={outer}><Box onChoose={() => undefined} /></div>);
  await userEvent.keyboard('xy');
  outer.mockClear();
  await userEvent.keyboard('{Escape}');
  expect(screen.queryByRole('listbox')).toBeNull();
  expect(outer).not.toHaveBeenCalled();
  rerender(<div onKeyDown={outer}><Box onChoose={() => undefined} found={[]} /></div>);
  await userEvent.keyboard('z');
  expect(screen.getByText('Nobody')).toBeTruthy();
  expect(screen.getByRole('combobox').getAttribute('aria-expanded')).toBe('false');
});
