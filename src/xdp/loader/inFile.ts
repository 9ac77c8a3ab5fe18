/** The object's name in front of what its maps, an engine or the verifier say: they do not know it. */
import { printable } from '../../host/errors.ts';
import { ProgramRefused } from '../engine.ts';
import { MapError } from '../maps/mapDef.ts';
import { VerifierError } from '../verifier/verify.ts';

const NAMELESS = [MapError, ProgramRefused, VerifierError] as const;

/** @returns the error itself */
export function inFile(file: string, error: unknown): unknown {
  if (error instanceof Error && NAMELESS.some((kind) => error instanceof kind)) {
    error.message = `${printable(file)}: ${error.message}`;
  }
  return error;
}
