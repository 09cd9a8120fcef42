/** One function per route that the patient's pages use. */
import { address, call } from './call';
import type { AttemptRequest, BookingRequest, CheckResult, ConsentDecision, DispensingRequest, Invitation } from './types';

export const me = () => call('GET /api/me');
export const openLink = (token: string) => call('POST /api/links/open', { body: { token } });
export const recoverLink = (to: { phone?: string; email?: string; work?: string }) => call('POST /api/links/recover', { body: to });
export const sendCode = (channel: 'sms' | 'email', representative?: string) =>
  call('POST /api/me/code', { body: { channel, ...(representative ? { representative } : {}) } });
export const verifyCode = (code: string) => call('POST /api/me/code/verify', { body: { code } });
export const signOut = () => call('POST /api/me/sign-out');
export const situations = () => call('GET /api/auth/psc/situations');
export const chooseSituation = (id: string) => call('POST /api/auth/psc/situation', { body: { id } });

export const specialties = () => call('GET /api/specialties');
export const practitioners = (find: { specialty?: string; q?: string }) => call('GET /api/practitioners', { query: find });
/** With the price of an act of `at`; of the next free time when absent. */
export const practitioner = (id: string, at?: string) => call('GET /api/practitioners/{id}', { path: { id }, query: at ? { at } : {} });
export const slots = (id: string, from: string, days: number) =>
  call('GET /api/practitioners/{id}/slots', { path: { id }, query: { from, days } });
export const nearSlots = (id: string, start: string) => call('GET /api/practitioners/{id}/slots/near', { path: { id }, query: { start } });
/** Has a code sent to the contact of a booking; nothing is held. */
export const startBooking = (body: AttemptRequest, idempotencyKey: string) => call('POST /api/booking-attempts', { body, idempotencyKey });
export const verifyContact = (attempt: string, code: string) => call('POST /api/booking-attempts/verify', { body: { attempt, code } });
export const book = (body: BookingRequest, idempotencyKey: string) => call('POST /api/appointments', { body, idempotencyKey });

export const appointment = (id: string) => call('GET /api/appointments/{id}', { path: { id } });
export const moveAppointment = (id: string, start: string, version: number) =>
  call('POST /api/appointments/{id}/move', { path: { id }, body: { start }, ifMatch: version });
export const cancelAppointment = (id: string) => call('POST /api/appointments/{id}/cancel', { path: { id }, body: {} });

/** Those at the patient's side: who is invited, and what one of them was invited to. */
export const companions = (id: string) => call('GET /api/appointments/{id}/companions', { path: { id } });
export const inviteCompanion = (id: string, body: Invitation) => call('POST /api/appointments/{id}/companions', { path: { id }, body });
export const revokeCompanion = (id: string) => call('POST /api/companions/{id}/revoke', { path: { id } });
export const attendance = () => call('GET /api/me/attendance');

export const consentText = (lang: 'fr' | 'en') => call('GET /api/consent-texts', { query: { purpose: 'teleconsultation', lang } });
export const consent = (id: string) => call('GET /api/appointments/{id}/consent', { path: { id } });
export const decideConsent = (id: string, body: ConsentDecision, idempotencyKey: string) =>
  call('POST /api/appointments/{id}/consent', { path: { id }, body, idempotencyKey });
export const withdrawConsent = (id: string) => call('POST /api/appointments/{id}/consent/withdraw', { path: { id } });

/** Addresses of the receipt and of the proof: the browser fetches them with the session cookie. */
export const consentReceipt = (id: string, lang: 'fr' | 'en') => address('/api/consents/{id}/receipt', { id }, { lang });
export const consentProof = (id: string) => address('/api/consents/{id}/proof', { id });
export const checkConsent = (code: string) => call('POST /api/consent-checks', { body: { code } });

/** The connection check (signaling/check). */
export const startCheck = (id: string) => call('POST /api/encounters/{id}/check', { path: { id } });
export const tryConnection = (id: string, way: 'udp' | 'tcp' | 'tls', sdp: string) =>
  call('POST /api/encounters/{id}/check/offer', { path: { id }, body: { way, sdp } });
export const keepCheck = (id: string, body: CheckResult) => call('PUT /api/encounters/{id}/check', { path: { id }, body });

/** One-time ticket for the live side of an act (docs/signaling.md §2.1). */
export const admission = (id: string, signal?: AbortSignal) => call('POST /api/encounters/{id}/admission', { path: { id }, signal });

export const documents = (patientId?: string) => call('GET /api/documents', { query: { patientId } });
export const documentAccesses = (id: string) => call('GET /api/documents/{id}/accesses', { path: { id } });
/** Address of the PDF: the browser downloads it with the session cookie. */
export const documentPdf = (id: string) => address('/api/documents/{id}/pdf', { id });

/** The patient's own photos; the address of one: the browser fetches it with the session cookie, and each fetching is written. */
export const myStills = () => call('GET /api/me/stills');
export const stillFile = (id: string) => address('/api/stills/{id}', { id });

export const verification = (id: string) => call('GET /api/verifications/{public}', { path: { public: id } });
export const dispense = (id: string, body: DispensingRequest, tag: string, idempotencyKey: string) =>
  call('POST /api/verifications/{public}/dispensings', { path: { public: id }, body, ifMatch: tag, idempotencyKey });
export const withdrawDispensing = (publicId: string, id: string, code: string, reason: string, idempotencyKey: string) =>
  call('POST /api/verifications/{public}/dispensings/{id}/withdraw', { path: { public: publicId, id }, body: { code, reason }, idempotencyKey });
export const openVerification = (id: string, code: string) =>
  call('POST /api/verifications/{public}', { path: { public: id }, body: { code } });
