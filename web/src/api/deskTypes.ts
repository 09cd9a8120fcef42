/** The words of the professional's pages for the generated types (types.ts has those shared with the patient's). */
import type { Sent } from './call';
import type { components } from './schema.gen';

type Schemas = components['schemas'];

export type Person = Schemas['EncountersPersonBody'];
export type DayItem = Schemas['EncountersDayItem'];
export type Device = Schemas['WhipDeviceBody'];
export type DeviceDirection = Device['direction'];
export type Encounter = Schemas['EncountersEncounterBody'];
export type EncounterStatus = Encounter['status'];
export type Period = Schemas['EncountersPeriodBody'];
export type Stay = Schemas['EncountersStayBody'];
export type IdentifiedHow = NonNullable<Encounter['identifiedHow']>;

export type CallQuality = Schemas['EncountersQualityBody'];
export type Ribbon = Schemas['EncountersRibbonBody'];
export type Stretch = Schemas['EncountersStretchBody'];

export type PatientFile = Schemas['IdentityPatientBody'];
export type PatientFound = Schemas['IdentityFoundPatient'];
export type Sex = PatientFile['sex'];
export type IdentityDocument = Sent<'POST /api/patients/{id}/identity'>['document'];
export type StaffFound = Schemas['IdentityStaffItem'];

export type Report = Schemas['DocumentsReportBody'];
export type ReportText = Sent<'PUT /api/encounters/{id}/report'>;

export type Prescription = Schemas['PrescriptionsPrescriptionBody'];
export type PrescriptionStatus = Prescription['status'];
export type Medicine = Schemas['PrescriptionsMedicineBody'];

export type Declaration = Schemas['DeclaredDeclarationBody'];
export type DeclarationGiven = Sent<'PUT /api/appointments/{id}/declaration'>;

export type Delivery = Schemas['MessagingDeliveryBody'];

export type Agenda = Schemas['SchedulingAgendaOutBody'];
export type AgendaPractitioner = Schemas['SchedulingColumnBody'];
export type AgendaAppointment = Schemas['SchedulingEntryBody'];
/** Who decided, as the professional attests it: nobody for an adult who spoke, and for contraception. */
export type AttestedBy = Pick<Sent<'POST /api/appointments/{id}/consent/oral'>, 'representative' | 'ground'>;
export type EmergencyReason = Sent<'POST /api/appointments/{id}/consent/emergency'>;
export type StaffBooking = Sent<'POST /api/staff/appointments'>;

export type RefusalAlarm = Schemas['RefusalsAlarmBody'];
export type Refusal = Schemas['RefusalsRefusalBody'];
export type RefusedPerson = Schemas['RefusalsPersonBody'];
