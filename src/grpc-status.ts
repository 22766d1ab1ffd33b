import { isGrpcServiceError } from '@temporalio/client';

/** The gRPC status codes we tell apart. The SDK exports none, and the gRPC library is a dependency of its, not of ours. */
export const grpcStatus = {
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  PERMISSION_DENIED: 7,
  UNIMPLEMENTED: 12,
  UNAUTHENTICATED: 16,
} as const;

/** The status of a call to Temporal that failed: the client wraps its error once or twice. `undefined` for any other error. */
export function grpcStatusOf(error: unknown): number | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (isGrpcServiceError(cause)) return cause.code;
  }
  return undefined;
}
