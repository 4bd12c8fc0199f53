"""What a participant asks of the room, carried out by it: a command in, events out (PROTOCOL.md section 4)."""

from __future__ import annotations

from signaling import commands
from signaling.events import Event, Stroke
from signaling.room import Room, RoomError


def carry_out(room: Room, now_ms: int, actor: str, order: commands.ClientMessage) -> list[Event]:
    """The events that come of it. Raises RoomError."""
    match order:
        case commands.Start():
            return room.start(now_ms, actor)
        case commands.RaiseHand(raised=raised):
            return room.hand(now_ms, actor, raised)
        case commands.GiveFloor(participant_id=participant_id, granted=granted):
            return room.floor(now_ms, actor, participant_id, granted)
        case commands.Say(text=text, to=to):
            return room.chat(now_ms, actor, text, to)
        case commands.GiveSignal(signal=signal):
            return room.signal(now_ms, actor, signal)
        case commands.SayPrivately(participant_id=participant_id, text=text):
            return room.private(now_ms, actor, participant_id, text)
        case commands.ShowPhoto(photo_id=photo_id):
            return room.show_photo(now_ms, actor, photo_id)
        case commands.Hide(seq=seq):
            return room.hide(now_ms, actor, seq)
        case commands.Silence(participant_id=participant_id, silenced=silenced):
            return room.silence(now_ms, actor, participant_id, silenced)
        case commands.AllowChatToAll(allowed=allowed):
            return room.allow_chat_to_all(now_ms, actor, allowed)
        case commands.SetMark(label=label):
            return room.mark(now_ms, actor, label)
        case commands.Mute(publication_id=publication_id, muted=muted):
            return room.mute(now_ms, actor, publication_id, muted)
        case commands.Remove(participant_id=participant_id):
            return room.remove(now_ms, actor, participant_id)
        case commands.SetRecording(state=state):
            return room.pause_recording(now_ms, actor, state == "paused")
        case commands.GiveConsent(given=given):
            return room.consent(now_ms, actor, given)
        case commands.Show(source=source, layout=layout):
            return room.show(now_ms, actor, source, layout)
        case commands.PutOnStage(participant_id=on_stage):
            return room.put_on_stage(now_ms, actor, on_stage)
        case commands.BeginStage(name=name):
            return room.begin_stage(now_ms, actor, name)
        case commands.SetCountdown(until_ms=until_ms):
            return room.count_down(now_ms, actor, until_ms)
        case commands.SetMode(participant_id=participant_id, mode=mode):
            return room.set_mode(now_ms, actor, participant_id, mode)
        case commands.SetLeadMic(shared=shared):
            return room.share_lead_mic(now_ms, actor, shared)
        case commands.SetHeadcount(participant_id=participant_id, headcount=headcount):
            return room.set_headcount(now_ms, actor, participant_id, headcount)
        case commands.Admit(participant_id=participant_id):
            return room.admit(now_ms, actor, participant_id)
        case commands.Lock(locked=locked):
            return room.lock(now_ms, actor, locked)
        case commands.TurnPage(surface=surface):
            return room.turn_page(now_ms, actor, surface)
        case commands.Draw() as draw:
            piece = Stroke(draw.surface, draw.stroke_id, draw.tool, draw.colour, draw.width, draw.points)
            return room.draw(now_ms, actor, piece)
        case commands.Erase(surface=surface, stroke_ids=stroke_ids):
            return room.erase(now_ms, actor, surface, stroke_ids)
        case commands.ClearSurface(surface=surface):
            return room.clear_surface(now_ms, actor, surface)
        case commands.End():
            return room.end(now_ms, actor)
        case _:
            raise RoomError("unknown_message", f"{order.type} is not expected here")
