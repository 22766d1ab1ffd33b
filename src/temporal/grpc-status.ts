/** The gRPC status codes we tell apart. The SDK exports none, and the gRPC library is a dependency of its, not of ours. */
export const grpcStatus = {
  INVALID_ARGUMENT: 3,
  NOT_FOUND: 5,
  PERMISSION_DENIED: 7,
  UNIMPLEMENTED: 12,
  UNAUTHENTICATED: 16,
} as const;
