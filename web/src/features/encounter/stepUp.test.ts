import { describe, expect, it } from 'vitest';
import { forgetSigning, noteSigning, readReturn, stepUpAddress } from './stepUp';

function memory(): Storage {
  const kept = new Map<string, string>();
  return {
    get length() {
      return kept.size;
    },
    clear: () => kept.clear(),
    key: () => null,
    getItem: (k) => kept.get(k) ?? null,
    setItem: (k, v) => void kept.set(k, v),
    removeItem: (k) => void kept.delete(k),
  };
}

const here = { pathname: '/pro/encounters/a', search: '' };

describe('stepUp', () => {
  it('comes back to the same place, without the refusal of the time before', () => {
    expect(stepUpAddress({ pathname: '/pro/encounters/a', search: '?tab=report&step-up=psc-cancelled' })).toBe(
      '/api/auth/psc/start?again=1&return=%2Fpro%2Fencounters%2Fa%3Ftab%3Dreport',
    );
  });

  it('signs on only in the tab and for the act that asked, for ten minutes, once', () => {
    const store = memory();
    expect(readReturn('a', here, store)).toEqual({ is: 'none' });
    noteSigning('a', store, 0);
    expect(readReturn('b', here, store, 1)).toEqual({ is: 'none' });
    expect(readReturn('a', here, store, 1)).toEqual({ is: 'confirmed' });
    expect(readReturn('a', here, store, 10 * 60_000 + 1)).toEqual({ is: 'none' });
    forgetSigning(store);
    expect(readReturn('a', here, store, 1)).toEqual({ is: 'none' });
  });

  it('says why it was refused, and does not sign', () => {
    const store = memory();
    noteSigning('a', store, 0);
    expect(readReturn('a', { ...here, search: '?step-up=step-up-other' }, store, 1)).toEqual({ is: 'refused', code: 'step-up-other' });
  });

  it('takes nothing that is not its own note', () => {
    const store = memory();
    for (const text of ['', '{', 'null', '7', '{"encounterId":"a"}', '{"encounterId":1,"at":1}']) {
      store.setItem('visavis.sign', text);
      expect(readReturn('a', here, store, 1)).toEqual({ is: 'none' });
    }
  });
});
