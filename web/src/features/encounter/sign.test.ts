import { describe, expect, it, vi } from 'vitest';
import { Problem } from '@/api/client';
import { Signer } from './sign';

const saved = () => Promise.resolve(true);

describe('Signer', () => {
  it('signs in the order given', async () => {
    const done: string[] = [];
    const item = (key: string) => ({ key, sign: async () => void done.push(key) });
    expect(await new Signer().signAll(saved, [item('rx'), item('report')])).toEqual({ is: 'signed', signed: ['rx', 'report'] });
    expect(done).toEqual(['rx', 'report']);
  });

  it('signs nothing while a draft is not on the server', async () => {
    const sign = vi.fn();
    expect(await new Signer().signAll(() => Promise.resolve(false), [{ key: 'report', sign }])).toEqual({ is: 'unsaved', signed: [] });
    expect(sign).not.toHaveBeenCalled();
  });

  it('stops at the first refusal: the report is not signed over a prescription that must change', async () => {
    const report = vi.fn();
    const refused = new Problem({ fields: [{ name: 'lines[0].dose', code: 'required' }] }, 422);
    const out = await new Signer().signAll(saved, [
      { key: 'a', sign: () => Promise.resolve() },
      { key: 'b', sign: () => Promise.reject(refused) },
      { key: 'report', sign: report },
    ]);
    expect(out).toEqual({ is: 'stopped', signed: ['a'], at: 'b', problem: refused });
    expect(report).not.toHaveBeenCalled();
  });

  it('asks again with the same key when no answer came, with another after a refusal', async () => {
    const keys: string[] = [];
    const answers = [new Problem({ code: 'unreachable' }, 0), new Problem({}, 503), new Problem({}, 422), null];
    const sign = (key: string) => {
      keys.push(key);
      const problem = answers.shift();
      return problem ? Promise.reject(problem) : Promise.resolve();
    };
    const signer = new Signer();
    for (let i = 0; i < 4; i++) await signer.signAll(saved, [{ key: 'report', sign }]);
    expect(keys[1]).toBe(keys[0]);
    expect(keys[2]).toBe(keys[0]);
    expect(keys[3]).not.toBe(keys[0]);
  });
});
