/** HTTP as the pages use it: JSON both ways, problem JSON (RFC 9457) as one error type with a stable code. */

/** What went wrong, by the server's `code`; `offline` when no answer came at all. */
export class ApiError extends Error {
  constructor(
    readonly code: string,
    readonly status: number,
    readonly retryAfter: number | null = null, // seconds
  ) {
    super(code);
  }
}

export interface HttpOptions {
  method?: "GET" | "POST" | "PATCH" | "DELETE";
  body?: unknown;
  token?: string | null; // a grant; without one the session cookie speaks
  signal?: AbortSignal;
}

export async function fetchFrom(path: string, options: HttpOptions = {}): Promise<Response> {
  const headers: { [name: string]: string } = { Accept: "application/json" };
  if (options.body !== undefined) headers["Content-Type"] = "application/json";
  if (options.token) headers.Authorization = `Bearer ${options.token}`;
  let response: Response;
  try {
    response = await fetch(path, {
      method: options.method ?? "GET",
      headers,
      credentials: "same-origin",
      ...(options.signal ? { signal: options.signal } : {}),
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    });
  } catch {
    throw new ApiError("offline", 0);
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

export async function json(path: string, options: HttpOptions = {}): Promise<unknown> {
  const response = await fetchFrom(path, options);
  if (response.status === 204) return null;
  return response.json().catch(() => {
    throw new ApiError("server_error", response.status);
  });
}

async function problemOf(response: Response): Promise<ApiError> {
  const after = Number(response.headers.get("Retry-After"));
  let code: string | null = null;
  try {
    const problem = (await response.json()) as { code?: unknown };
    if (typeof problem.code === "string") code = problem.code;
  } catch {
    // a proxy in between answers with HTML: the status has to do
  }
  const fallback = response.status === 401 ? "not_signed_in" : response.status === 404 ? "not_found" : "server_error";
  return new ApiError(code ?? fallback, response.status, after > 0 ? after : null);
}
