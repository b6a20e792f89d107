import { conflict } from '../../http/errors.ts';

/** What the operator has to make first. */
export const deploymentError = (reason: string) => conflict(`Deployment error: ${reason}.`, 'AutoAllocationFailure');
