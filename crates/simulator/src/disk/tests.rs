use super::*;

const PAGE: [u8; 4096] = [7; 4096];

fn after_a_crash(loss: Loss, seed: u64) -> Vec<u8> {
    let disk = Disk::default();
    disk.create("a");
    let file = FileName { name: "a", generation: 0 };
    disk.write(&file, 0, &[1; 600]).unwrap();
    disk.sync(&file).unwrap();
    disk.write(&file, 100, &PAGE).unwrap();
    disk.crash(loss, &mut Dice::new(seed, "disk"));
    assert_eq!(disk.write(&file, 0, &PAGE), Err(DiskError::Crashed));
    let reopened = FileName { name: "a", generation: disk.generation() };
    let mut bytes = vec![0; usize::try_from(disk.len(&reopened).unwrap()).unwrap()];
    disk.read(&reopened, 0, &mut bytes).unwrap();
    bytes
}

#[test]
fn a_crash_keeps_what_was_synced_and_what_the_dice_keep() {
    assert_eq!(after_a_crash(Loss::Everything, 1), vec![1; 600]);
    assert_eq!(after_a_crash(Loss::Nothing, 1).len(), 4196);
    let tails: Vec<usize> = (0..40).map(|seed| after_a_crash(Loss::Tail, seed).len()).collect();
    assert!(tails.contains(&600) && tails.contains(&4196) && tails.iter().any(|len| (601..4196).contains(len)), "{tails:?}");
    let holes = (0..20).filter(|seed| after_a_crash(Loss::Scattered, *seed)[600..].contains(&0)).count();
    assert!(holes > 0, "some sectors are missing in the middle");
    assert_eq!(after_a_crash(Loss::Scattered, 3), after_a_crash(Loss::Scattered, 3));
}

#[test]
fn a_name_is_durable_once_its_file_was_synced_and_a_removal_once_the_folder_was() {
    let disk = Disk::default();
    for name in ["synced", "unsynced", "removed", "removed durably"] {
        disk.create(name);
        if name != "unsynced" {
            disk.sync(&FileName { name, generation: 0 }).unwrap();
        }
    }
    disk.remove("removed durably", true).unwrap();
    disk.create("late");
    disk.remove("removed", false).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..20 {
        let (files, removed) = {
            let state = disk.lock();
            (state.files.clone(), state.removed.clone())
        };
        let copy = Disk(Arc::new(Mutex::new(State { files, removed, ..State::default() })));
        copy.crash(Loss::Everything, &mut Dice::new(seed, "disk"));
        assert!(copy.exists("synced") && copy.exists("unsynced"), "the sync of the folder named both");
        assert!(!copy.exists("late") && !copy.exists("removed durably"));
        seen.insert(copy.exists("removed"));
    }
    assert_eq!(seen.len(), 2, "a removal that was not synced may come undone");
}

#[test]
fn an_ill_disk_says_so_and_recovers() {
    let disk = Disk::default();
    disk.create("a");
    let file = FileName { name: "a", generation: 0 };
    disk.write(&file, 0, &PAGE).unwrap();
    disk.fall_ill(Some(Ailment::Full));
    assert_eq!(disk.write(&file, 0, &PAGE), Ok(()));
    assert_eq!(disk.write(&file, 1, &PAGE), Err(DiskError::Full));
    disk.fall_ill(Some(Ailment::SyncsFail));
    assert_eq!(disk.sync(&file), Err(DiskError::Broken));
    disk.fall_ill(Some(Ailment::WritesFail));
    assert_eq!(disk.write(&file, 0, &PAGE), Err(DiskError::Broken));
    disk.fall_ill(None);
    assert_eq!(disk.sync(&file), Ok(()));
    assert_eq!(disk.figures().refused, 3);
}
