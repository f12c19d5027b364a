export { runDoctor } from './doctor.ts';
export {
  DOCTOR_CODES,
  type DoctorCode,
  type DoctorInput,
  type DoctorLine,
  type DoctorStep,
} from './types.ts';
