/** Shapes of the call's buttons; each button carries its word too. */
const paths = {
  mic: 'M12 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3ZM6 11a6 6 0 0 0 12 0M12 17v4M8.5 21h7',
  camera: 'M3 7.5h11.5v9H3zM14.5 11l6-3.5v9l-6-3.5',
  flip: 'M4 9a8 8 0 0 1 14-3l2 2M20 3v5h-5M20 15a8 8 0 0 1-14 3l-2-2M4 21v-5h5',
  chat: 'M4 4.5h16v11.5H11l-5 4v-4H4z',
  leave: 'M3 14c5-5.5 13-5.5 18 0l-2.5 3-4-2v-2.6a11 11 0 0 0-5 0V15l-4 2z',
  screen: 'M3 4.5h18v12H3zM8 20.5h8M12 16.5v4',
  end: 'M6 6l12 12M18 6 6 18',
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name, crossed = false }: { name: IconName; crossed?: boolean }) {
  return (
    <svg viewBox="0 0 24 24" width="26" height="26" fill="none" stroke="currentColor" strokeWidth="2" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
      <path d={paths[name]} />
      {crossed && <path d="M4 3l16 18" />}
    </svg>
  );
}
