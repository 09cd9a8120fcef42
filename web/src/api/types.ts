/**
 * The words of the patient's pages for the answers and requests of the API:
 * names for the generated types (`make generate`). Times are RFC 3339 UTC, days
 * YYYY-MM-DD, money in cents.
 */
import type { Sent } from './call';
import type { components } from './schema.gen';

type Schemas = components['schemas'];

export type List<T> = { items: T[] };

export type Me = Schemas['IdentityMeBody'];
export type Level = Me['level'];
export type StaffRole = Schemas['IdentityMeStaff']['role'];
export type IdentityStatus = Schemas['IdentityMePatient']['identityStatus'];
/** A place where a professional who is signing in may work today. */
export type Situation = Schemas['IdentitySituation'];
export type CodeSent = Schemas['IdentityCodeOutBody'];
export type LinkAsked = Schemas['IdentityRecoverOutBody'];

/** Somebody invited at the patient's side. */
export type Companion = Schemas['IdentityCompanionBody'];
export type Invitation = Sent<'POST /api/appointments/{id}/companions'>;
/** What a companion was invited to. */
export type Attendance = Schemas['IdentityAttendanceOutBody'];

export type Specialty = Schemas['SchedulingSpecialtyBody'];
export type Price = Schemas['SchedulingPriceBody'];
export type Practitioner = Schemas['SchedulingPractitionerBody'];
export type Slot = Schemas['SchedulingSlotBody'];
export type Slots = Schemas['SchedulingSlotsOutBody'];
export type BookingRequest = Sent<'POST /api/appointments'>;
export type AttemptRequest = Sent<'POST /api/booking-attempts'>;
export type Attempt = Schemas['SchedulingAttemptOutBody'];
export type Booked = Schemas['SchedulingBookedOutBody'];
export type Appointment = Schemas['SchedulingAppointmentBody'];
export type AppointmentStatus = Appointment['status'];

export type Consent = Schemas['ConsentStateBody'];
export type ConsentState = Consent['status'];
export type ConsentText = Schemas['ConsentTextBody'];
export type ConsentRecord = Schemas['ConsentRecordBody'];
export type ConsentDecision = Sent<'POST /api/appointments/{id}/consent'>;
/** What the page says of itself, kept with the answer. */
export type ConsentScreen = NonNullable<ConsentDecision['screen']>;
/** RFC 3161; an answer counts whatever the state of its stamp. */
export type ConsentStamp = NonNullable<ConsentRecord['stamp']>;
/** What anybody with the code of a receipt may know. */
export type ConsentCheck = Schemas['ConsentCheckBody'];

export type Admission = Schemas['SignalingAdmissionBody'];

/** A photo taken in the call because the professional asked for it. */
export type Still = Schemas['DocumentsStillBody'];
export type DocumentItem = Schemas['DocumentsItemBody'];
export type DocumentAccess = Schemas['DocumentsAccessBody'];
export type DeliveryState = Schemas['DocumentsDeliveryBody']['state'];

export type Counter = Schemas['PrescriptionsCounterBody'];
export type CounterLine = Schemas['PrescriptionsLeftBody'];
export type DispensingState = Counter['state'];
export type Dispensing = Schemas['PrescriptionsDispensingBody'];
export type DispensingRequest = Sent<'POST /api/verifications/{public}/dispensings'>;
export type Given = Schemas['PrescriptionsGiven'];

export type Verification = Schemas['PrescriptionsVerificationBody'];
export type PrescriptionLine = Schemas['PrescriptionsLine'];
export type Dosage = Schemas['PrescriptionsDosage'];
export type PrescriptionCategory = Schemas['PrescriptionsPrescriptionBody']['category'];

/** What a connection check found, and what the server says of it. */
export type CheckResult = Sent<'PUT /api/encounters/{id}/check'>;
export type CheckKept = Schemas['CheckKeptBody'];
