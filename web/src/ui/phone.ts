/**
 * Whether what was typed may be a telephone number: 8 to 15 digits, however they are spaced. The
 * server gets it as typed, since it knows which countries dial the 0 of « +49 (0)151… ».
 */
export function maybePhone(typed: string): boolean {
  const bare = typed.replace(/[\s./\p{Pd}\p{Cf}]/gu, '');
  const digits = bare.replace(/^\(\+/, '+').replace(/^(\+|\(?00)(.*)\(0\)/, '$1$2').replace(/[()]/g, '');
  return /^(\+|00)?\d{8,15}$/.test(digits);
}
