/**
 * The work a booking brings while there are very many (identity/contacts/work.go): a number
 * that makes PBKDF2 begin with zero bits. It takes a second or two on a telephone, and asks
 * nothing of the person.
 */
import { asProblem } from '@/api/client';

const rounds = 1000;
/** Answers computed at once: the browser spreads them over its threads. */
const together = 16;

/** How many zero bits the bytes begin with. */
export function leadingZeros(bytes: Uint8Array): number {
  let count = 0;
  for (const byte of bytes) {
    if (byte !== 0) return count + Math.clz32(byte) - 24;
    count += 8;
  }
  return count;
}

/** The answer to a challenge, for a contact as it is sent; null when the challenge is none. */
export async function answerChallenge(challenge: string, phone: string, email: string): Promise<string | null> {
  const needed = Number(challenge.split('.')[1]);
  if (!Number.isInteger(needed) || needed < 0 || needed > 24) return null;
  const text = new TextEncoder();
  const salt = text.encode(`${challenge}|${phone}|${email}`);
  const enough = async (n: number) => {
    const key = await crypto.subtle.importKey('raw', text.encode(String(n)), 'PBKDF2', false, ['deriveBits']);
    const bits = await crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt, iterations: rounds }, key, 256);
    return leadingZeros(new Uint8Array(bits)) >= needed;
  };
  for (let first = 0; ; first += together) {
    const found = await Promise.all(Array.from({ length: together }, (_, i) => enough(first + i)));
    const at = found.indexOf(true);
    if (at >= 0) return `${challenge}.${first + at}`;
  }
}

/** Asks for something for a contact, and once more with the work that was asked for. */
export async function withWork<Answer>(ask: (work: { work?: string }) => Promise<Answer>, { phone = '', email = '' }: { phone?: string; email?: string }): Promise<Answer> {
  try {
    return await ask({});
  } catch (cause) {
    const { code, extra } = asProblem(cause);
    const work = code === 'work-needed' && typeof extra.challenge === 'string' ? await answerChallenge(extra.challenge, phone, email) : null;
    if (!work) throw cause;
    return ask({ work });
  }
}
