import { maybePhone } from '@/ui/phone';

/** A phone number or an e-mail address, whichever the person wrote; null when it can be neither. */
export function contactOf(text: string): { phone: string } | { email: string } | null {
  const trimmed = text.trim();
  if (trimmed.includes('@')) return /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(trimmed) ? { email: trimmed } : null;
  return maybePhone(trimmed) ? { phone: trimmed } : null;
}
