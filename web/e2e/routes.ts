/** Every address of the product, and how a test comes to it. A page that is not here fails src/routes/table.test.ts. */

export interface World {
  doctorId: string;
  link: string;
  encounterId: string;
}

export interface Row {
  /** As the router writes it; `*` is the page for what has no other. */
  path: string;
  who: 'anyone' | 'patient' | 'doctor' | 'secretary' | 'officer';
  open: (w: World) => string;
}

export const table: readonly Row[] = [
  { path: '/', who: 'anyone', open: () => '/' },
  { path: '/medecins/:id', who: 'anyone', open: (w) => `/medecins/${w.doctorId}` },
  { path: '/reserver', who: 'anyone', open: () => '/reserver' },
  { path: '/rdv', who: 'patient', open: (w) => w.link },
  { path: '/documents', who: 'patient', open: () => '/documents' },
  { path: '/lien', who: 'anyone', open: () => '/lien' },
  { path: '/v/:publicId', who: 'anyone', open: () => '/v/inconnue' },
  { path: '/accord', who: 'anyone', open: () => '/accord' },
  { path: '/pro', who: 'doctor', open: () => '/pro' },
  { path: '/pro/*?', who: 'anyone', open: () => '/pro/agenda' },
  { path: '/pro/agenda', who: 'secretary', open: () => '/pro/agenda' },
  { path: '/pro/patients', who: 'secretary', open: () => '/pro/patients' },
  { path: '/pro/a-poster', who: 'secretary', open: () => '/pro/a-poster' },
  { path: '/pro/acces-refuses', who: 'officer', open: () => '/pro/acces-refuses' },
  { path: '/pro/acces-refuses/:id', who: 'officer', open: () => '/pro/acces-refuses/inconnue' },
  { path: '/pro/encounters/:id/qualite', who: 'secretary', open: (w) => `/pro/encounters/${w.encounterId}/qualite` },
  { path: '/pro/encounters/:id', who: 'doctor', open: (w) => `/pro/encounters/${w.encounterId}` },
  { path: '*', who: 'anyone', open: () => '/nulle-part' },
];
