/** The REST calls of administrators, and of people who come with a link one of them gave out. */

import type { User } from "./account_api";
import { type Decoder, flag, list, nullable, oneOf, shape, text } from "./decode";
import { fetchFrom, json } from "./http";
import { type School, type SchoolClass, school, schoolClass } from "./planning";

export const ROLES = ["teacher", "researcher", "school_admin", "region_admin", "admin"] as const;
export type AccountRole = (typeof ROLES)[number];

export interface Account {
  user_id: string;
  name: string;
  role: AccountRole;
  disabled: boolean;
  yourself: boolean;
  school_id: string | null;
  region: string; // of a region's administrator
  may_change: boolean;
}

/** Where an account belongs: a school, or for a region's administrator a region. */
export interface Place {
  school_id?: string | null;
  region?: string;
}

export interface Accounts {
  accounts: Account[];
  roles: AccountRole[]; // what one may make of somebody
}

/** The list of schools, and what whoever asks may do with it. */
export interface SchoolList {
  schools: School[];
  may_add: boolean;
  region: string | null; // the only one schools may be added in
}

export interface Link {
  url: string; // relative to this site
  expires_at: string;
}

/** What a link gives its bearer. */
export interface Promised {
  name: string;
  role: AccountRole;
  new: boolean;
}

const account: Decoder<Account> = shape<Account>({ user_id: text, name: text, role: oneOf(...ROLES), disabled: flag, yourself: flag, school_id: nullable(text), region: text, may_change: flag });
const link = shape<Link>({ url: text, expires_at: text });
const part = encodeURIComponent;

export async function addSchool(name: string, region: string): Promise<School> {
  return school(await json("/api/schools", { method: "POST", body: { name, region } }), "");
}

export async function changeSchool(id: string, name: string, region: string): Promise<void> {
  await fetchFrom(`/api/schools/${part(id)}`, { method: "PATCH", body: { name, region } });
}

export async function removeSchool(id: string): Promise<void> {
  await fetchFrom(`/api/schools/${part(id)}`, { method: "DELETE" });
}

export async function addClass(schoolId: string, name: string, headcount: number | null): Promise<SchoolClass> {
  return schoolClass(await json(`/api/schools/${part(schoolId)}/classes`, { method: "POST", body: { name, headcount } }), "");
}

export async function changeClass(id: string, name: string, headcount: number | null): Promise<void> {
  await fetchFrom(`/api/class-groups/${part(id)}`, { method: "PATCH", body: { name, headcount } });
}

export async function renewCode(id: string): Promise<void> {
  await fetchFrom(`/api/class-groups/${part(id)}/code`, { method: "POST" });
}

export async function removeClass(id: string): Promise<void> {
  await fetchFrom(`/api/class-groups/${part(id)}`, { method: "DELETE" });
}

export async function listAccounts(): Promise<Accounts> {
  return shape<Accounts>({ accounts: list(account), roles: list(oneOf(...ROLES)) })(await json("/api/accounts"), "");
}

export async function schoolList(): Promise<SchoolList> {
  return shape<SchoolList>({ schools: list(school), may_add: flag, region: nullable(text) })(await json("/api/schools"), "");
}

export async function changeAccount(id: string, change: Place & { role?: AccountRole; disabled?: boolean }): Promise<void> {
  await fetchFrom(`/api/accounts/${part(id)}`, { method: "PATCH", body: change });
}

export async function resetPassword(id: string): Promise<Link> {
  return link(await json(`/api/accounts/${part(id)}/link`, { method: "POST" }), "");
}

export async function invite(role: AccountRole, name: string, place: Place): Promise<Link> {
  return link(await json("/api/accounts/invitations", { method: "POST", body: { role, name, ...place } }), "");
}

export async function lookAtLink(token: string): Promise<Promised> {
  return shape<Promised>({ name: text, role: oneOf(...ROLES), new: flag })(await json("/api/link", { method: "POST", body: { token } }), "");
}

/** Chooses the password; whoever does is signed in. */
export async function takeLink(token: string, name: string, password: string): Promise<User> {
  const reply = await json("/api/link/use", { method: "POST", body: { token, name, password } });
  return shape<{ user: User }>({ user: shape<User>({ name: text, role: text }) })(reply, "").user;
}
